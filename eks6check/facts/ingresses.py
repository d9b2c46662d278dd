"""Views on Ingresses that become Application Load Balancers: their class, their settings, and what they lead to.

The order of precedence is the AWS Load Balancer Controller's own (pkg/ingress of its repository).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Resource, mapping, sequence, text
from eks6check.facts.load_balancing import Installed, Maker, annotation
from eks6check.facts.patterns import regex

INGRESS_PREFIX = "alb.ingress.kubernetes.io/"
ADDRESS_TYPE = INGRESS_PREFIX + "ip-address-type"
TARGET_TYPE = INGRESS_PREFIX + "target-type"
SCHEME = INGRESS_PREFIX + "scheme"
SUBNETS = INGRESS_PREFIX + "subnets"
GROUP_NAME = INGRESS_PREFIX + "group.name"
INBOUND_CIDRS = INGRESS_PREFIX + "inbound-cidrs"
SECURITY_GROUPS = INGRESS_PREFIX + "security-groups"
PREFIX_LISTS = INGRESS_PREFIX + "security-group-prefix-lists"
AUTH_TYPE = INGRESS_PREFIX + "auth-type"
ACTIONS = INGRESS_PREFIX + "actions."
CONDITIONS = INGRESS_PREFIX + "conditions."
LEGACY_CLASS = "kubernetes.io/ingress.class"
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"

MAKERS = {"ingress.k8s.aws/alb": Maker.CONTROLLER, "eks.amazonaws.com/alb": Maker.AUTO_MODE}
"""Who reads Ingresses of a class, by the class's ``spec.controller``."""

SERVICE_NAME = regex(r'"serviceName"\s*:\s*"([^"]+)"', re.IGNORECASE)
ALB_WORD = regex(r"(?<![a-z0-9])alb(?![a-z0-9])")
AUTO_WORD = regex(r"(?<![a-z0-9])auto(?![a-z0-9])")
"""Words by which people name a class for the controller, or for Auto Mode."""


class Alb(NamedTuple):
    """An Ingress that becomes a load balancer: who makes it, the class's parameters, and whether both were in view."""

    ingress: Resource
    maker: Maker
    params: Resource | None = None
    certain: bool = True


def albs(
    ingresses: Iterable[Resource],
    ingress_classes: Iterable[Resource],
    ingress_class_params: Iterable[Resource],
    known: Installed,
) -> list[Alb]:
    """Those Ingresses that the AWS Load Balancer Controller or Auto Mode turns into load balancers."""
    classes = {each.name: each for each in files_last(ingress_classes)}
    params = {(each.group, each.name): each for each in files_last(ingress_class_params)}
    found = (_resolve(ingress, classes, params, known) for ingress in ingresses)
    return [alb for alb in found if alb is not None]


Services = Mapping[tuple[str, str], Resource]
"""Services by namespace and name."""


def by_name(services: Iterable[Resource]) -> Services:
    """The Services as Ingresses refer to them."""
    return {(each.namespace, each.name): each for each in files_last(services)}


def files_last(resources: Iterable[Resource]) -> list[Resource]:
    """The same resources, those of files at the end: what will be applied wins over what runs today."""
    return sorted(resources, key=lambda each: each.origin.source == "manifests")


def _resolve(
    ingress: Resource, classes: Mapping[str, Resource], params: Mapping[tuple[str, str], Resource], known: Installed
) -> Alb | None:
    legacy = annotation(ingress, LEGACY_CLASS)
    if legacy is not None:
        return Alb(ingress, Maker.CONTROLLER) if legacy in known.ingress_classes else None
    name = text(ingress.get("spec", "ingressClassName"))
    found = classes.get(name) if name else _default(classes.values())
    if found is None:
        guess = Maker.AUTO_MODE if known.auto_mode or AUTO_WORD.search(name) else Maker.CONTROLLER
        return Alb(ingress, guess, certain=False) if _likely(ingress, name, known) else None
    made_by = MAKERS.get(text(found.get("spec", "controller")))
    reference = mapping(found.get("spec", "parameters"))
    chosen = params.get((text(reference.get("apiGroup")), text(reference.get("name"))))
    return Alb(ingress, made_by, chosen, certain=not reference or chosen is not None) if made_by else None


def _default(classes: Iterable[Resource]) -> Resource | None:
    return next((each for each in classes if annotation(each, DEFAULT_CLASS) == "true"), None)


def _likely(ingress: Resource, name: str, known: Installed) -> bool:
    annotated = any(str(key).startswith(INGRESS_PREFIX) for key in ingress.annotations)
    return name in known.ingress_classes or (annotated and (not name or bool(ALB_WORD.search(name))))


def by_class(alb: Alb, *field: str) -> str | None:
    """A setting that IngressClassParams make for every Ingress of the class, which then reads no annotation for it."""
    value = alb.params.get("spec", *field) if alb.params else None
    return value if isinstance(value, str) else None


def setting(alb: Alb, key: str, *field: str) -> str | None:
    """A setting by its annotation key and its field in IngressClassParams, which wins; None where neither has it."""
    value = by_class(alb, *field)
    return annotation(alb.ingress, key) if value is None else value


def address_type(alb: Alb) -> str | None:
    """The ``ip-address-type`` of an Ingress itself, whatever its group says."""
    return setting(alb, ADDRESS_TYPE, "ipAddressType")


def group(alb: Alb) -> str | None:
    """The IngressGroup, whose members share one load balancer. Auto Mode takes it from the class alone."""
    annotated = annotation(alb.ingress, GROUP_NAME) if alb.maker is Maker.CONTROLLER else None
    return by_class(alb, "group", "name") or annotated or None


def address_types(found: Iterable[Alb]) -> Mapping[str, set[str]]:
    """What the members of each IngressGroup say about the address type."""
    said: dict[str, set[str]] = {}
    for alb in found:
        if (name := group(alb)) and (value := address_type(alb)) is not None:
            said.setdefault(name, set()).add(value)
    return said


def backends(alb: Alb, services: Services) -> list[tuple[str, Resource | None]]:
    """The Services whose pods an Ingress leads to, by name, each with its object where that is in view.

    Redirects, fixed responses, target groups made elsewhere and ExternalName Services lead to no pod.
    """
    ingress = alb.ingress
    names = dict.fromkeys(name for body in _backend_bodies(ingress) for name in _service_names(ingress, body))
    found = [(name, services.get((ingress.namespace, name))) for name in names]
    return [(name, each) for name, each in found if not each or each.get("spec", "type") != "ExternalName"]


def _backend_bodies(ingress: Resource) -> Iterator[Mapping[str, Any]]:
    yield mapping(ingress.get("spec", "defaultBackend")) or mapping(ingress.get("spec", "backend"))
    for rule in ingress.list("spec", "rules"):
        for path in sequence(mapping(mapping(rule).get("http")).get("paths")):
            yield mapping(mapping(path).get("backend"))


def _service_names(ingress: Resource, backend: Mapping[str, Any]) -> list[str]:
    service = mapping(backend.get("service"))
    name = text(service.get("name")) or text(backend.get("serviceName"))
    port = mapping(service.get("port")).get("name") or backend.get("servicePort")
    if port == "use-annotation":
        return SERVICE_NAME.findall(annotation(ingress, ACTIONS + name) or "")
    return [name] if name else []


def documents(ingress: Resource, family: str) -> Iterator[tuple[str, Any]]:
    """Each annotation of a family that holds JSON: its key and the document.

    Keys inside are in lower case, since the controller does not tell capitals apart.
    """
    for key in ingress.annotations:
        if str(key).startswith(family):
            try:
                yield key, _lower_keys(json.loads(annotation(ingress, key) or "null"))
            except (ValueError, RecursionError):
                continue


def _lower_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lower_keys(each) for key, each in value.items()}
    return [_lower_keys(each) for each in value] if isinstance(value, list) else value


def instance_backends(alb: Alb, services: Services, known: Installed) -> list[tuple[str, Resource | None]]:
    """The backends that get instance targets because neither the Ingress, nor its class, nor they ask for ``ip``."""
    value = setting(alb, TARGET_TYPE, "targetType")
    if (known.target_type if value is None else value) == "ip":
        return []
    return [(name, each) for name, each in backends(alb, services) if not each or annotation(each, TARGET_TYPE) is None]


def asked_at(ingress: Resource, key: str) -> Path:
    """The place of an annotation, or of what makes it needed where it is absent."""
    for wanted in (key, LEGACY_CLASS):
        if wanted in ingress.annotations:
            return ("metadata", "annotations", wanted)
    if ingress.get("spec", "ingressClassName"):
        return ("spec", "ingressClassName")
    return ("metadata", "annotations") if ingress.annotations else ("kind",)
