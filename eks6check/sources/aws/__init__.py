"""The live AWS account: a collector for each section, and beside it the IAM actions that it takes. Reads only.

Lists come whole, page by page; what has to be asked for one by one is asked for several at a time. What AWS refuses
or garbles is a gap of its own section, and of those that are read with its help.
"""

from eks6check.sources import Collector, Collectors
from eks6check.sources.aws import (
    balancing,
    eks,
    endpoints,
    filters,
    iam,
    machines,
    routes,
    storage,
    templates,
    vpc,
    waf,
)

TOPICS = (eks, vpc, routes, filters, endpoints, machines, templates, balancing, waf, storage, iam)

COLLECTORS: Collectors = tuple(
    sorted(
        (each for topic in TOPICS for each in vars(topic).values() if isinstance(each, Collector)),
        key=lambda each: each.section,
    )
)
"""A collector for every section that the account gives."""
