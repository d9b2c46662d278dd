"""Programs that listen on IPv4 alone: known by command, image or variables, told by options, variables or files."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Severity

PROBE = {"readinessProbe": {"tcpSocket": {"port": 8000}}}


def workload(volumes: list[Any] | None = None, /, **container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "web", "image": "shop/web:2", **container}], "volumes": volumes or []}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    return {"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": template}}


def config(**data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}, "data": data}


def service(**spec: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def values(rule: str, **sections: Any) -> list[Any]:
    return [finding.evidence for finding in build.judge(rule, **sections).findings]


def told(rule: str = "APP001", **container: Any) -> str:
    """The address that one finding names; empty without one."""
    found = values(rule, workloads=[workload(**container)])
    assert len(found) <= 1
    return str(found[0]["value"]) if found else ""


@pytest.mark.parametrize(
    ("command", "address", "instead"),
    [
        (["gunicorn", "-b", ":8000", "shop.wsgi"], ":8000", "[::]:8000"),
        (["gunicorn", "-b0.0.0.0:8000", "shop.wsgi"], "0.0.0.0:8000", "[::]:8000"),
        (["gunicorn", "--bind=0.0.0.0:$(PORT)", "shop.wsgi"], "0.0.0.0:$(PORT)", "[::]:$(PORT)"),
        (["/usr/bin/tini", "--", "uvicorn", "main:app", "--host", "0.0.0.0"], "0.0.0.0", '""'),
        (["python3.11", "-u", "-m", "uvicorn", "main:app", "--host=0.0.0.0"], "0.0.0.0", "--host="),
        (["sh", "-c", "migrate && exec gunicorn \\\n  -b 0.0.0.0:80 app"], "0.0.0.0:80", "[::]:80"),
        (["/bin/bash", "-ec", "PORT=1 poetry run flask run -h 0.0.0.0"], "0.0.0.0", "::"),
        (["bundle", "exec", "puma", "-b", "tcp://0.0.0.0:3000"], "tcp://0.0.0.0:3000", "tcp://[::]:3000"),
        (["rails", "server", "-b", "0.0.0.0"], "0.0.0.0", "::"),
        (["bundle", "exec", "rails", "s", "-p", "3000", "--binding=0.0.0.0"], "0.0.0.0", "::"),
        (["docker-entrypoint.sh", "redis-server", "--bind", "0.0.0.0"], "0.0.0.0", '"0.0.0.0 ::"'),
        (["tini", "-g", "--", "hypercorn", "-b", "0.0.0.0:80"], "0.0.0.0:80", "[::]:80"),
        (["php", "-S", "0.0.0.0:8000", "-t", "public"], "0.0.0.0:8000", "[::]:8000"),
        (["python", "-m", "http.server", "8000"], "0.0.0.0", "::"),
        (["python", "-m", "http.server", "$(HTTP_PORT)"], "0.0.0.0", "::"),
        (["python", "-u", "manage.py", "runserver", "0.0.0.0:8000"], "0.0.0.0:8000", "[::]:8000"),
        (["sh", "-c", "./manage.py migrate && ./manage.py runserver 0:$PORT"], "0:$PORT", "[::]:$PORT"),
        (["uwsgi", "--http", ":8000", "--module", "shop.wsgi"], ":8000", "[::]:8000"),
        (["uwsgi", "--http-socket=0.0.0.0:8000"], "0.0.0.0:8000", "[::]:8000"),
        (["uv", "run", "fastapi", "run", "--host", "0.0.0.0"], "0.0.0.0", '""'),
        (["granian", "--interface", "asgi", "--host", "0.0.0.0", "shop:app"], "0.0.0.0", "::"),
        (["bundle", "exec", "rackup", "-o", "0.0.0.0"], "0.0.0.0", "::"),
        (["victoria-metrics", "-retentionPeriod=1y"], "0.0.0.0", "-enableTCP6"),
        (["/vmagent-prod", "-httpListenAddr=:8000"], ":8000", ":8000 with -enableTCP6"),
        (["/vmselect", "--httpListenAddr", "[::]:8000"], "[::]:8000", "[::]:8000 with -enableTCP6"),
        (["waitress-serve", "--port=8000", "shop:app"], "0.0.0.0", "*"),
        (["waitress-serve", "--host", "0.0.0.0", "shop:app"], "0.0.0.0", "*"),
        (["waitress-serve", "--listen=0.0.0.0:8000", "shop:app"], "0.0.0.0:8000", "*:8000"),
        (["hypercorn", "-b", ":8000", "shop:app"], ":8000", "[::]:8000"),
        (["gunicorn", "-b", "0.0.0.0", "shop.wsgi"], "0.0.0.0", "[::]"),
        (["redis-server", "--bind", "*"], "*", '"0.0.0.0 ::"'),
        (["redis-server", "--bind", "0.0.0.0", "--port", "6379"], "0.0.0.0", '"0.0.0.0 ::"'),
        (["postgres", "-c", "listen_addresses=0.0.0.0"], "listen_addresses=0.0.0.0", "listen_addresses=*"),
        (["mongod", "--bind_ip_all"], "--bind_ip_all", '"--ipv6", "--bind_ip_all"'),
        (
            ["postgres", "-c", "listen_addresses=0.0.0.0", "-c", "max_connections=9"],
            "listen_addresses=0.0.0.0",
            "listen_addresses=*",
        ),
        (["sh", "-c", "gunicorn -b 0.0.0.0:${PORT:-8000} app"], "0.0.0.0:${PORT:-8000}", "[::]:${PORT:-8000}"),
        (["python", "manage.py", "runserver", "0.0.0.0:8000"], "0.0.0.0:8000", "[::]:8000"),
        (["fastapi", "run", "app.py"], "0.0.0.0", '--host ""'),
        (["jupyter", "lab", "--ip=0.0.0.0"], "0.0.0.0", "*"),
        (["streamlit", "run", "app.py", "--server.address", "0.0.0.0"], "0.0.0.0", "::"),
        (["celery", "-A", "shop", "flower", "--address=0.0.0.0"], "0.0.0.0", "--address="),
        (["npx", "next", "start", "-H", "0.0.0.0"], "0.0.0.0", "::"),
        (["bash", "-c", "exec airflow webserver"], "0.0.0.0", "[::]"),
        (["vllm", "serve", "some/model"], "0.0.0.0", "::"),
        (["sh", "-c", "exec uvicorn main:app --host 0.0.0.0"], "0.0.0.0", "''"),
        (["sh", "-c", "exec uvicorn main:app --host=0.0.0.0"], "0.0.0.0", "''"),
        (["sh", "-c", "redis-server --bind * --port 6379"], "*", "0.0.0.0 ::"),
        (["sh", "-c", "jupyter lab --ip 0.0.0.0"], "0.0.0.0", "'*'"),
        (["sh", "-c", "waitress-serve --listen=0.0.0.0:$PORT app"], "0.0.0.0:$PORT", "'*':$PORT"),
        (["memcached", "-l", "0.0.0.0:11300"], "0.0.0.0:11300", "0.0.0.0:11300,[::]:11300"),
        (["mongod", "--bind_ip", "0.0.0.0"], "0.0.0.0", "::,0.0.0.0 with --ipv6"),
        (["varnishd", "-a", "0.0.0.0:80,PROXY"], "0.0.0.0:80,PROXY", ":80,PROXY"),
        (["dotnet", "shop.dll", "--urls", "https://0.0.0.0:8443"], "https://0.0.0.0:8443", "https://+:8443"),
        (["php", "artisan", "serve", "--host=0.0.0.0", "--port=8000"], "0.0.0.0", "[::]"),
        (["sh", "-c", "./artisan migrate && exec php -d x=1 artisan serve --host 0.0.0.0"], "0.0.0.0", "[::]"),
        (["node", "node_modules/.bin/next", "start", "-H", "0.0.0.0"], "0.0.0.0", "::"),
        (["python3", "-m", "vllm.entrypoints.openai.api_server", "--host", "0.0.0.0"], "0.0.0.0", "::"),
    ],
)
def test_an_address_that_opens_ipv4_alone_is_found_in_the_command(
    command: list[str], address: str, instead: str
) -> None:
    (seen,) = values("APP001", workloads=[workload(command=command)])
    assert (seen["value"], seen["instead"]) == (address, instead)


@pytest.mark.parametrize(
    "command",
    [
        ["gunicorn", "-b", "[::]:8000", "shop.wsgi"],
        ["gunicorn", "-b", "127.0.0.1:8000", "shop.wsgi"],
        ["gunicorn", "-b", "unix:/run/web.sock", "shop.wsgi"],
        ["gunicorn", "shop.wsgi"],
        ["uvicorn", "main:app", "--host", ""],
        ["uvicorn", "main:app", "--forwarded-allow-ips", "0.0.0.0"],
        ["redis-server", "--bind", "0.0.0.0", "::"],
        ["redis-server", "--bind", "*", "-::*"],
        ["memcached", "-l", "0.0.0.0,::"],
        ["mongod", "--ipv6", "--bind_ip_all"],
        ["mongod", "--bind_ip", "0.0.0.0", "--ipv6"],
        ["rails", "console", "-b", "0.0.0.0"],
        ["gunicorn", "-b"],
        ["gunicorn", "--port=0.0.0.0:80", "shop.wsgi"],
        ["uvicorn", "main:app", "--root-path", "0.0.0.0"],
        ["python", "server.py", "--bind", "0.0.0.0"],
        ["python"],
        ["env", "--"],
        ["node", "server.js"],
        ["redis-server"],
        ["memcached", "-m", "64"],
        ["mysqld", "--bind-address=*"],
        ["postgres", "-c", "listen_addresses=*"],
        ["postgres", "-c", "listen_addresses=0.0.0.0,::"],
        ["haproxy", "-f", "/etc/haproxy.cfg"],
        ["httpd-foreground"],
        ["varnishd", "-a", ":80"],
        ["varnishd", "-a", ":80,PROXY"],
        ["php", "artisan", "serve", "--host=[::]"],
        ["php", "artisan", "queue:work", "--host=0.0.0.0"],
        ["php", "server.php", "--host=0.0.0.0"],
        ["node", "node_modules/.bin/next", "build", "-H", "0.0.0.0"],
        ["memcached", "-l", "0.0.0.0:80,[::]:80"],
        ["gunicorn", "-b", "$(BIND)", "shop.wsgi"],
        ["sh", "-c", "gunicorn -b $BIND shop.wsgi"],
        ["hypercorn", "-b", "[::]:80", "app"],
        ["waitress-serve", "--listen=*:8080", "app"],
        ["waitress-serve", "--unix-socket=/run/web.sock", "app"],
        ["/vmagent-prod", "-httpListenAddr=:8000", "-enableTCP6"],
        ["/victoria-metrics", "--enableTCP6=true"],
        ["/victoria-metrics", "-envflag.enable"],
        ["/victoria-metrics", "-httpListenAddr=127.0.0.1:8000"],
        ["python", "manage.py", "migrate"],
        ["python", "manage.py", "runserver"],
        ["python", "manage.py", "runserver", "[::]:8000"],
        ["python", "manage.py", "loaddata", "0.0.0.0:8000"],
        ["python", "-c", "import shop"],
        ["uwsgi", "--http", "[::]:8000"],
        ["uwsgi", "--socket", "/run/web.sock", "--stats", "0.0.0.0:9191"],
        ["uwsgi", "--ini", "/etc/uwsgi.ini"],
        ["fastapi", "dev", "app/main.py"],
        ["fastapi", "run", "--host", "", "app/main.py"],
        ["granian", "shop:app"],
        ["rackup", "-p", "9292"],
        ["waitress-serve", "$WAITRESS_OPTIONS", "app"],
        ["sh", "-c", "python -m http.server $@"],
        ["puma", "-b", "tcp://[::]:3000"],
        ["puma", "-b", "unix:///run/puma.sock"],
        ["dotnet", "shop.dll", "--urls", "http://+:80;http://*:81"],
        ["flask", "run", "--host", "::"],
        ["python", "-m", "http.server", "--bind", "::", "8000"],
        ["/manager", "--host", "0.0.0.0", "--bind", "0.0.0.0:8000"],
        ["java", "-jar", "app.jar", "--host", "0.0.0.0"],
        ["prometheus", "--web.listen-address=0.0.0.0:9090"],
        ["sh", "-c", "# gunicorn -b 0.0.0.0:80"],
        ["sh", "-c", "echo 'unclosed"],
        ["sh"],
        [],
    ],
)
def test_other_addresses_and_other_programs_are_left_alone(command: list[str]) -> None:
    assert not told(command=command)


@pytest.mark.parametrize(
    ("command", "heard"),
    [
        (None, True),
        (["docker-entrypoint.sh"], True),
        (["sh", "-c", "umask 0077 && exec /start"], True),
        (["/bin/redis_exporter"], False),
        (["sleep", "infinity"], False),
    ],
)
def test_a_file_for_the_images_program_counts_unless_another_program_runs(
    command: list[str] | None,
    heard: bool,  # noqa: FBT001  a table's column
) -> None:
    more = {"command": command} if command else {}
    deployment = workload([VOLUME], image="redis:7", volumeMounts=[MOUNT], **more)
    maps = [config(**{"redis.conf": "bind 0.0.0.0"})]
    assert bool(values("APP001", workloads=[deployment], config_maps=maps)) is heard


def test_a_file_of_another_name_is_not_the_programs() -> None:
    deployment = workload([VOLUME], image="redis:7", volumeMounts=[MOUNT])
    maps = [config(**{"health.txt": "bind 0.0.0.0", "users.acl": "bind 0.0.0.0"})]
    assert not values("APP001", workloads=[deployment], config_maps=maps)


def test_an_xml_file_that_speaks_of_an_address_in_a_comment_says_nothing() -> None:
    text = "<clickhouse>\n<!-- <listen_host>0.0.0.0</listen_host> -->\n<!--\n<listen_host>0.0.0.0</listen_host>\n-->\n"
    deployment = workload([VOLUME], image="clickhouse/clickhouse-server:24", volumeMounts=[MOUNT])
    assert not values("APP001", workloads=[deployment], config_maps=[config(**{"listen.xml": text})])


def test_the_image_tells_the_program_where_the_command_does_not() -> None:
    assert told(image="public.ecr.aws/docker/library/redis:7.4", args=["--bind", "0.0.0.0"]) == "0.0.0.0"
    assert told(image="shop/web", args=["--bind", "0.0.0.0"]) == ""
    assert told(image="redis:7.4", command=["exporter"], args=["--bind", "0.0.0.0"]) == ""
    assert told(image="mongo@sha256:0000", args=["--bind_ip_all"]) == "--bind_ip_all"


def test_variables_tell_the_address_and_by_their_prefix_the_program() -> None:
    assert told(env=[{"name": "ASPNETCORE_URLS", "value": "http://0.0.0.0:80;https://0.0.0.0:443"}]) != ""
    assert told(env=[{"name": "ASPNETCORE_URLS", "value": "http://+:80"}]) == ""
    assert told(env=[{"name": "GUNICORN_CMD_ARGS", "value": "--workers 4 --bind=0.0.0.0:80"}]) == "0.0.0.0:80"
    assert told(env=[{"name": "HOST", "value": "0.0.0.0"}]) == ""
    assert told(image="kibana:8.1", env=[{"name": "SERVER_HOST", "value": "0.0.0.0"}]) == "0.0.0.0"


def test_several_addresses_of_one_variable_are_rewritten_each_with_its_options() -> None:
    for value, instead in (
        ("0.0.0.0:8000, 0.0.0.0:8443 http2 ssl", "[::]:8000 ipv6only=off, [::]:8443 ipv6only=off http2 ssl"),
        ("0.0.0.0:8000, [::]:8000", ""),
        ("http2 ssl", ""),
        ("off", ""),
    ):
        env = [{"name": "KONG_PROXY_LISTEN", "value": value}]
        found = values("APP001", workloads=[workload(image="kong:3.9", env=env)])
        assert [seen["instead"] for seen in found] == [instead] * bool(instead)


def test_each_url_of_a_variable_keeps_its_scheme_and_port_and_is_asked_who_calls_it() -> None:
    env = [{"name": "ASPNETCORE_URLS", "value": "http://0.0.0.0:8000;https://0.0.0.0:8443;http://+:8081"}]
    for port, severity in ((8000, Severity.BLOCKER), (8443, Severity.BLOCKER), (8081, Severity.INFO)):
        deployment = workload(env=env, readinessProbe={"tcpSocket": {"port": port}})
        (finding,) = build.judge("APP001", workloads=[deployment]).findings
        assert finding.evidence["instead"] == "http://+:8000;https://+:8443;http://+:8081"
        assert finding.severity is severity


def test_the_empty_address_is_no_value_for_a_variable_that_counts_only_when_filled() -> None:
    env = [{"name": "UVICORN_HOST", "value": "0.0.0.0"}]
    (seen,) = values("APP001", workloads=[workload(command=["uvicorn", "main:app"], env=env)])
    assert seen["instead"] == '--host "" without UVICORN_HOST'
    env = [{"name": "FLOWER_ADDRESS", "value": "0.0.0.0"}]
    (seen,) = values("APP001", workloads=[workload(command=["celery", "flower"], env=env)])
    assert seen["instead"] == '""'


@pytest.mark.parametrize(
    ("command", "value", "where"),
    [
        (["uvicorn", "main:app", "--host", "$(BIND)"], "0.0.0.0", "variable BIND of container web"),
        (["sh", "-c", "exec flask run --host $BIND"], "0.0.0.0", "variable BIND of container web"),
        (["sh", "-c", "exec uvicorn main:app --host $BIND"], "0.0.0.0", "command of container web"),
        (["sh", "-c", "exec jupyter lab --ip $BIND"], "0.0.0.0", "command of container web"),
        (["gunicorn", "-b", "$(BIND):$(PORT)", "app"], "0.0.0.0:8000", "command of container web"),
        (["sh", "-c", 'gunicorn -b "${BIND}:$PORT" app'], "0.0.0.0:8000", "command of container web"),
        (["sh", "-c", "gunicorn -b $BIND:$OTHER app"], "0.0.0.0:$OTHER", "command of container web"),
        (["gunicorn", "-b", "0.0.0.0:$(PORT)", "app"], "0.0.0.0:$(PORT)", "command of container web"),
        (["uvicorn", "main:app", "--host", "$BIND"], "", ""),
        (["uvicorn", "main:app", "--host", "$(OTHER)"], "", ""),
        (["gunicorn", "-b", "127.0.0.1:$(PORT)", "app"], "", ""),
    ],
)
def test_an_option_counts_with_the_variables_that_are_known(command: list[str], value: str, where: str) -> None:
    own = [{"name": "BIND", "value": "0.0.0.0"}, {"name": "PORT", "value": "8000"}]
    given: list[dict[str, Any]] = [{"env": own}, {"envFrom": [{"configMapRef": {"name": "conf"}}]}]
    for more in given:
        deployment = workload(command=command, **more)
        found = values("APP001", workloads=[deployment], config_maps=[config(BIND="0.0.0.0", PORT="8000")])
        assert [(seen["value"], seen["where"]) for seen in found] == [(value, where)] * bool(value)


def test_a_variable_out_of_a_config_map_tells_the_program() -> None:
    deployment = workload(envFrom=[{"configMapRef": {"name": "conf"}}])
    found = values("APP001", workloads=[deployment], config_maps=[config(ASPNETCORE_URLS="http://0.0.0.0:80")])
    assert [seen["known_by"] for seen in found] == ["variable ASPNETCORE_URLS"]


@pytest.mark.parametrize(
    ("image", "instead"),
    [
        ("fluent/fluent-bit:3.1.9", "[::]"),
        ("fluent/fluent-bit:3.2.0", "::"),
        ("public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.5.20250527", "[::]"),
        ("public.ecr.aws/aws-observability/aws-for-fluent-bit:3.0.0", "::"),
        ("fluent/fluent-bit:latest", "::"),
        ("fluent/fluent-bit", "::"),
    ],
)
def test_fluent_bit_wants_brackets_before_its_release_3_2(image: str, instead: str) -> None:
    deployment = workload([VOLUME], image=image, volumeMounts=[MOUNT])
    maps = [config(**{"fluent-bit.conf": "    HTTP_Listen  0.0.0.0\n"})]
    assert [seen["instead"] for seen in values("APP001", workloads=[deployment], config_maps=maps)] == [instead]


@pytest.mark.parametrize(
    ("content", "instead"),
    [
        ("bind 'tcp://0.0.0.0:3000'\n", ["'tcp://[::]:3000'"]),
        ('bind("tcp://0.0.0.0:3000")\n', ['"tcp://[::]:3000"']),
        ("bind 'tcp://[::]:3000'\n# bind 'tcp://0.0.0.0:3000'\n", []),
        ("bind 'unix:///run/puma.sock'\nbind_to_activated_sockets\n", []),
    ],
)
def test_a_file_of_puma_keeps_its_quotes(content: str, instead: list[str]) -> None:
    deployment = workload([VOLUME], command=["bundle", "exec", "puma", "-C", "puma.rb"], volumeMounts=[MOUNT])
    found = values("APP001", workloads=[deployment], config_maps=[config(**{"puma.rb": content})])
    assert [seen["instead"] for seen in found] == instead


def test_a_script_of_the_image_hands_its_options_on() -> None:
    assert told(image="jupyter/scipy-notebook:2024", command=["start-notebook.sh", "--ip=0.0.0.0"]) == "0.0.0.0"


def test_an_option_wins_over_a_variable() -> None:
    env = [{"name": "UVICORN_HOST", "value": "0.0.0.0"}]
    assert told(command=["uvicorn", "main:app"], env=env) == "0.0.0.0"
    assert not told(command=["uvicorn", "main:app", "--host", "::"], env=env)


LIGHTTPD = 'server.document-root = "/srv"\nserver.port = 8080\n'
MOUNT = {"name": "conf", "mountPath": "/etc/conf"}
VOLUME = {"name": "conf", "configMap": {"name": "conf"}}


@pytest.mark.parametrize(
    ("image", "key", "content", "address"),
    [
        ("redis:7", "redis.conf", "port 6379\nbind 0.0.0.0\n", "0.0.0.0"),
        ("redis:7", "redis.conf", "# bind 0.0.0.0\nbind * -::*\n", ""),
        ("redis:7", "redis.conf", "bind 0.0.0.0 -::*", ""),
        ("redis:7", "redis.conf", "port 6379", ""),
        ("shop/web", "redis.conf", "bind 0.0.0.0", ""),
        ("haproxy:3.0", "haproxy.cfg", "frontend f\n  bind *:80\n", "*:80"),
        ("spilo-17:4.0", "patroni.yml", "restapi:\n  listen: 0.0.0.0:8008\n", "0.0.0.0:8008"),
        ("spilo-17:4.0", "patroni.yml", "restapi:\n  listen: '*:8008'\n", ""),
        ("elasticsearch:8.11.0", "elasticsearch.yml", "network.host: _eth0:ipv4_\n", "_eth0:ipv4_"),
        ("elasticsearch:8.11.0", "elasticsearch.yml", "network.host: 0.0.0.0\n", ""),
        ("haproxy:3.0", "haproxy.cfg", "frontend f\n  bind :80\n  bind [::]:80 v6only\n", ""),
        ("haproxy:3.0", "haproxy.cfg", "frontend f\n  bind :::80 v4v6\nlisten s\n  bind 127.0.0.1:90", ""),
        ("postgres:17", "postgresql.conf", "listen_addresses = '0.0.0.0' # all\n", "'0.0.0.0'"),
        ("postgres:17", "postgresql.conf", "listen_addresses = '*'\n", ""),
        ("mongo:8", "mongod.conf", "net:\n  bindIp: 0.0.0.0\n", "0.0.0.0"),
        ("mongo:8", "mongod.conf", "net:\n  ipv6: true\n  bindIp: 0.0.0.0\n", ""),
        ("mongo:8", "mongod.conf", "net:\n  port: 27017\n  bindIpAll: true\n", "bindIpAll: true"),
        ("mongo:8", "mongod.conf", "net:\n  bindIpAll: true\n  ipv6: true\n", ""),
        ("mongo:8", "mongod.conf", "net:\n  bindIpAll: false\n", ""),
        ("php:8.3-fpm", "www.conf", "[www]\nlisten = 0.0.0.0:9000\n", "0.0.0.0:9000"),
        ("php:8.3-fpm", "www.conf", "[www]\nlisten = 9000\n;listen = 0.0.0.0:9000\n", ""),
        ("php:8.3-apache", "www.conf", "listen = 0.0.0.0:9000\n", ""),
        ("httpd:2.4", "httpd.conf", "Listen 0.0.0.0:80\n", "0.0.0.0:80"),
        ("httpd:2.4", "httpd.conf", "Listen 80\n", ""),
        ("rabbitmq:3", "rabbitmq.conf", "listeners.tcp.1 = 0.0.0.0:5672\n", "0.0.0.0:5672"),
        ("rabbitmq:3", "rabbitmq.conf", "listeners.tcp.1 = 5672\nmanagement.tcp.ip = 0.0.0.0\n", "0.0.0.0"),
        ("rabbitmq:3", "rabbitmq.conf", "management.tcp.port = 15672\nmanagement.tcp.ip = ::\n", ""),
        ("mariadb:11", "my.cnf", "[mysqld]\nbind-address=0.0.0.0\n", "0.0.0.0"),
        ("mariadb:11", "my.cnf", "[mysqld]\nbind-address=*\n", ""),
        ("shop/web", "uwsgi.ini", "[uwsgi]\nhttp = :8000\n", ""),
        ("eclipse-mosquitto:2", "mosquitto.conf", "listener 1883 0.0.0.0\n", "0.0.0.0"),
        ("eclipse-mosquitto:2", "mosquitto.conf", "bind_address 0.0.0.0\n", "0.0.0.0"),
        ("eclipse-mosquitto:2", "mosquitto.conf", "listener 1883\nlistener 9001 127.0.0.1\n", ""),
        ("eclipse-mosquitto:2", "mosquitto.conf", "listener 1883\n# listener 1883 0.0.0.0\n", ""),
        ("fluent/fluentd:v1", "fluent.conf", "<source>\n  @type forward\n  port 24224\n</source>\n", "0.0.0.0"),
        ("fluent/fluentd:v1", "fluent.conf", "<source>\n  @type http\n  bind 0.0.0.0\n</source>\n", "0.0.0.0"),
        ("fluent/fluentd:v1", "fluent.conf", "<source>\n  @type forward\n  bind ::\n</source>\n", ""),
        ("fluent/fluentd:v1", "fluent.conf", "<source>\n  @type tail\n  path /var/log\n</source>\n", ""),
        ("fluent/fluentd:v1", "fluent.conf", "<match **>\n  @type forward\n</match>\n", ""),
        ("fluent/fluentd:v1", "fluent.conf", "# <source>\n#  @type forward\n# </source>\n", ""),
        ("shop/lighttpd:1", "lighttpd.conf", 'server.bind = "0.0.0.0"\n', '"0.0.0.0"'),
        ("shop/lighttpd:1", "lighttpd.conf", LIGHTTPD, "0.0.0.0"),
        ("shop/lighttpd:1", "lighttpd.conf", f'{LIGHTTPD}# server.use-ipv6 = "enable"\n', "0.0.0.0"),
        ("shop/lighttpd:1", "lighttpd.conf", f'{LIGHTTPD}server.bind = "[::]"\n', ""),
        ("shop/lighttpd:1", "lighttpd.conf", f'{LIGHTTPD}server.use-ipv6 = "enable"\n', ""),
        ("shop/lighttpd:1", "lighttpd.conf", f'{LIGHTTPD}$SERVER["socket"] == "[::]:8080" {{ }}\n', ""),
        ("shop/lighttpd:1", "lighttpd.conf", f'{LIGHTTPD}include "conf.d/*.conf"\n', ""),
        ("shop/lighttpd:1", "lighttpd.conf", f'include_shell "use-ipv6.pl"\n{LIGHTTPD}', ""),
        ("shop/lighttpd:1", "lighttpd-mime.conf", 'mimetype.assign = ( ".html" => "text/html" )\n', ""),
        ("shop/lighttpd:1", "site.conf", LIGHTTPD, ""),
        ("aws-for-fluent-bit:2", "fluent-bit.conf", "    HTTP_Listen  0.0.0.0\n", "0.0.0.0"),
        ("clickhouse/clickhouse-server", "c.xml", "<clickhouse>\n <listen_host>0.0.0.0</listen_host>\n", "0.0.0.0"),
        (
            "clickhouse/clickhouse-server",
            "c.xml",
            "<listen_host>0.0.0.0</listen_host>\n<listen_host>::</listen_host>",
            "",
        ),
    ],
)
def test_a_mounted_file_is_read_in_the_language_of_the_program(
    image: str, key: str, content: str, address: str
) -> None:
    deployment = workload([VOLUME], image=image, volumeMounts=[MOUNT])
    found = values("APP001", workloads=[deployment], config_maps=[config(**{key: content})])
    assert [seen["value"] for seen in found] == ([address] if address else [])


@pytest.mark.parametrize(
    ("volume", "mount", "heard"),
    [
        (VOLUME, MOUNT, True),
        ({"name": "conf", "projected": {"sources": [{"configMap": {"name": "conf"}}]}}, MOUNT, True),
        (VOLUME, {**MOUNT, "mountPath": "/etc/redis.conf", "subPath": "main"}, True),
        (VOLUME, {**MOUNT, "subPath": "other"}, False),
        (
            {"name": "conf", "configMap": {"name": "conf", "items": [{"key": "main", "path": "redis.conf"}]}},
            MOUNT,
            True,
        ),
        (
            {"name": "conf", "configMap": {"name": "conf", "items": [{"key": "other", "path": "redis.conf"}]}},
            MOUNT,
            False,
        ),
        ({"name": "conf", "configMap": {"name": "elsewhere"}}, MOUNT, False),
        (VOLUME, {"name": "other", "mountPath": "/x"}, False),
    ],
)
def test_a_file_is_followed_to_its_name_in_the_container(volume: Any, mount: Any, heard: bool) -> None:  # noqa: FBT001  a table's column
    key = "main" if "items" in str(volume) or "subPath" in mount else "redis.conf"
    deployment = workload([volume], image="redis:7", volumeMounts=[mount])
    found = values("APP001", workloads=[deployment], config_maps=[config(**{key: "bind 0.0.0.0"})])
    assert bool(found) is heard


def test_variables_out_of_a_config_map_are_placed_there() -> None:
    maps = [config(FLASK_RUN_HOST="0.0.0.0")]
    reference = {"configMapKeyRef": {"name": "conf", "key": "FLASK_RUN_HOST"}}
    for given in (
        {"envFrom": [{"configMapRef": {"name": "conf"}}]},
        {"env": [{"name": "FLASK_RUN_HOST", "valueFrom": reference}]},
    ):
        deployment = workload(command=["flask", "run"], **given)
        (finding,) = build.judge("APP001", workloads=[deployment], config_maps=maps).findings
        assert finding.subject.id == "v1/ConfigMap/shop/conf"


@pytest.mark.parametrize(
    ("more", "spec", "severity"),
    [
        (PROBE, None, Severity.BLOCKER),
        ({"readinessProbe": {"tcpSocket": {"port": 9}}}, None, Severity.INFO),
        ({"readinessProbe": {"exec": {"command": ["true"]}}}, None, Severity.INFO),
        ({"ports": [{"containerPort": 8000}]}, None, Severity.WARNING),
        ({}, {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}, Severity.BLOCKER),
        ({}, {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": 8000}]}, Severity.INFO),
        ({}, {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 9}]}, Severity.INFO),
        ({}, {"ports": [{"port": 8000}]}, Severity.INFO),
        (
            {"ports": [{"containerPort": 8000, "name": "http"}]},
            {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
            Severity.BLOCKER,
        ),
        (
            {"ports": [{"containerPort": 8000, "name": "http"}]},
            {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "metrics"}]},
            Severity.WARNING,
        ),
    ],
)
def test_it_is_a_blocker_where_somebody_is_seen_to_connect(more: Any, spec: Any, severity: Severity) -> None:
    deployment = workload(command=["gunicorn", "-b", ":8000"], **more)
    services = [service(**spec)] if spec else []
    (finding,) = build.judge("APP001", workloads=[deployment], services=services).findings
    assert finding.severity is severity
    assert len(finding.locations) == 1 + (severity is Severity.BLOCKER)


def test_a_container_that_only_starts_the_pod_listens_for_nobody() -> None:
    deployment = workload()
    body = {"name": "wait", "command": ["gunicorn", "-b", ":80"]}
    deployment["spec"]["template"]["spec"]["initContainers"] = [body]
    assert not values("APP001", workloads=[deployment])
    deployment["spec"]["template"]["spec"]["initContainers"] = [{**body, "restartPolicy": "Always"}]
    assert len(values("APP001", workloads=[deployment])) == 1


def test_one_config_map_for_several_workloads_is_one_finding() -> None:
    one, two = (workload([VOLUME], image="redis:7", volumeMounts=[MOUNT], **PROBE) for _ in range(2))
    two["metadata"] = {**two["metadata"], "name": "cache"}
    assert len(values("APP001", workloads=[one, two], config_maps=[config(**{"redis.conf": "bind 0.0.0.0"})])) == 1


@pytest.mark.parametrize(
    ("more", "severity"),
    [(PROBE, Severity.BLOCKER), ({"ports": [{"containerPort": 6379}]}, Severity.WARNING), ({}, Severity.INFO)],
)
def test_one_config_map_weighs_as_much_as_the_workload_that_needs_it_most(more: Any, severity: Severity) -> None:
    needs: tuple[dict[str, Any], ...] = ({}, more)
    one, two = (workload([VOLUME], image="redis:7", volumeMounts=[MOUNT], **each) for each in needs)
    two["metadata"] = {**two["metadata"], "name": "cache"}
    maps = [config(**{"redis.conf": "bind 0.0.0.0"})]
    (finding,) = build.judge("APP001", workloads=[one, two], config_maps=maps).findings
    assert finding.severity is severity


@pytest.mark.parametrize(
    ("command", "fails"),
    [
        (["gunicorn", "-b", "0.0.0.0:80", "-b", "[::]:80"], True),
        (["gunicorn", "--bind=[::]:80", "--bind=:80"], True),
        (["gunicorn", "-b", "0.0.0.0:80", "-b", "[::]:81"], False),
        (["gunicorn", "-b", "127.0.0.1:80", "-b", "[::]:80"], False),
        (["gunicorn", "-b", "[::]:80"], False),
        (["hypercorn", "-b", "0.0.0.0:80", "-b", "[::]:80"], True),
        (["memcached", "-l", "0.0.0.0:80", "-l", "[::]:80"], False),
    ],
)
def test_gunicorn_and_hypercorn_exit_on_both_families_of_one_port(command: list[str], fails: bool) -> None:  # noqa: FBT001  a table's column
    assert bool(values("APP007", workloads=[workload(command=command)])) is fails
    assert not (fails and values("APP001", workloads=[workload(command=command)]))


def test_two_programs_of_one_config_map_are_two_findings() -> None:
    maps = [config(**{"redis.conf": "bind 0.0.0.0", "haproxy.cfg": "bind :6379\nbind :9101"})]
    apps = [workload([VOLUME], image=image, volumeMounts=[MOUNT]) for image in ("redis:7", "haproxy:3")]
    found = {seen["program"]: seen["values"] for seen in values("APP001", workloads=apps, config_maps=maps)}
    assert found == {"Redis": ["0.0.0.0"], "HAProxy": [":6379", ":9101"]}


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "HOST", "value": "0.0.0.0"}]},
        {"env": [{"name": "APP_BIND_ADDR", "value": "0.0.0.0:8000"}]},
        {"env": [{"name": "HOSTNAME", "value": "0.0.0.0"}]},
        {"env": [{"name": "ADDRESS", "value": "0.0.0.0:8000"}]},
        {"env": [{"name": "HTTP_ADDR", "value": "0.0.0.0:8000"}]},
        {"env": [{"name": "SERVER_HOST", "value": "0.0.0.0"}]},
        {"command": ["notebooks", "lab", "--ip=0.0.0.0"]},
        {"command": ["dashboards", "run", "app.py", "--server.address", "0.0.0.0"]},
        {"command": ["workers", "ui", "--address=0.0.0.0"]},
        {"args": ["serve", "--host", "0.0.0.0"]},
        {"command": ["/app/server"], "args": ["--listen-address=http://0.0.0.0:8000"]},
        {"command": ["node", "server.js", "--host=0.0.0.0"]},
        {"command": ["sh", "-c", "cd /app && ./serve --port 8000 --host 0.0.0.0"]},
    ],
)
def test_a_program_that_nobody_can_name_is_asked_about_where_somebody_connects(container: Any) -> None:
    (finding,) = build.judge("APP005", workloads=[workload(**container, **PROBE)]).findings
    assert finding.severity is Severity.WARNING
    assert not values("APP001", workloads=[workload(**container, **PROBE)])
    assert not values("APP005", workloads=[workload(**container)])


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "HOST", "value": "::"}]},
        {"env": [{"name": "TRUSTED_PROXIES", "value": "0.0.0.0"}]},
        {"env": [{"name": "KAFKA_ADVERTISED_HOST", "value": "0.0.0.0"}]},
        {"env": [{"name": "FORWARDED_ALLOW_HOST", "value": "0.0.0.0"}]},
        {"command": ["etcd", "--listen-host", "0.0.0.0:8000"]},
        {"image": "bitnami/kafka:3", "env": [{"name": "KAFKA_BIND_ADDRESS", "value": "0.0.0.0:8000"}]},
        {"image": "docker.elastic.co/elasticsearch/elasticsearch:8", "args": ["--host", "0.0.0.0"]},
        {"args": ["--host", "0.0.0.0/0"]},
        {"args": ["--host", "localhost"]},
        {"env": [{"name": "HOST", "value": "0.0.0.0/0"}]},
        {"env": [{"name": "BIND_ADDR", "value": "0.0.0.0:0"}]},
        {"command": ["java", "-jar", "app.jar"], "env": [{"name": "HOST", "value": "0.0.0.0"}]},
        {"command": ["sh", "-c", "exec java -jar /app.jar --server.address=0.0.0.0"]},
        {"command": ["sh", "-c", "cd /app && exec tini -- java -jar app.jar --host=0.0.0.0"]},
        {"command": ["dumb-init", "/usr/bin/java", "-jar", "app.jar", "--host=0.0.0.0"]},
        {"command": ["env", "MODE=prod", "java", "-jar", "app.jar", "--host=0.0.0.0"]},
        {"image": "eclipse-temurin:21-jre", "command": ["/app/bin/shop"], "args": ["--host=0.0.0.0"]},
        {"image": "hashicorp/consul:1.20", "args": ["agent", "-client", "0.0.0.0", "--bind=0.0.0.0"]},
        {"image": "gitea/gitea:1.22", "env": [{"name": "GITEA_HTTP_ADDR", "value": "0.0.0.0"}]},
        {"args": ["--host=0.0.0.0"], "env": [{"name": "SPRING_PROFILES_ACTIVE", "value": "prod"}]},
        {"args": ["--host=0.0.0.0"], "env": [{"name": "GOMEMLIMIT", "valueFrom": {"resourceFieldRef": {}}}]},
        {"image": "quay.io/prometheus/prometheus:v3", "args": ["--host", "0.0.0.0"]},
        {
            "image": "ghcr.io/prometheus-operator/prometheus-config-reloader:v0.8",
            "args": ["--listen-address=0.0.0.0:8000"],
        },
        {"image": "quay.io/vouch/vouch-proxy", "env": [{"name": "VOUCH_LISTEN", "value": "0.0.0.0"}]},
        {"command": ["gunicorn", "-b", ":80"], "env": [{"name": "HOST", "value": "0.0.0.0"}]},
        {"args": ["--advertise", "0.0.0.0"]},
        {"args": ["--host"]},
    ],
)
def test_known_programs_and_other_settings_are_not_asked_about(container: Any) -> None:
    assert not values("APP005", workloads=[workload(**container, **PROBE)])


@pytest.mark.parametrize("variable", ["HOST", "BIND_ADDR"])
def test_an_unknown_program_is_asked_about_for_a_variable_out_of_a_config_map(variable: str) -> None:
    deployment = workload(envFrom=[{"configMapRef": {"name": "conf"}}], **PROBE)
    (finding,) = build.judge("APP005", workloads=[deployment], config_maps=[config(**{variable: "0.0.0.0"})]).findings
    assert finding.subject.kind == "Deployment"
    assert f"variable {variable} of container web out of ConfigMap shop/conf" in finding.message
    assert not build.judge("APP005", workloads=[deployment]).findings


@pytest.mark.parametrize(
    ("container", "port"),
    [
        ({"args": ["--listen=0.0.0.0:8085"]}, "8085"),
        ({"args": ["--host=0.0.0.0"], "ports": [{"containerPort": 8085}]}, "8085"),
        ({"args": ["--host=0.0.0.0"]}, "PORT"),
    ],
)
def test_what_to_look_for_names_the_port_that_was_seen(container: Any, port: str) -> None:
    probe = {"readinessProbe": {"tcpSocket": {"port": 8085}}}
    (finding,) = build.judge("APP005", workloads=[workload(**container, **probe)]).findings
    assert f"`*:{port}` or `[::]:{port}`" in finding.remedy


def test_a_default_that_a_file_leaves_is_placed_at_its_first_setting() -> None:
    deployment = workload([VOLUME], image="lighttpd", volumeMounts=[MOUNT])
    maps = [config(**{"lighttpd.conf": LIGHTTPD})]
    (finding,) = build.judge("APP001", workloads=[deployment], config_maps=maps).findings
    assert finding.subject.id == "v1/ConfigMap/shop/conf"
    assert "0.0.0.0 in lighttpd.conf of" in finding.message
    assert "by default" in finding.message
    assert finding.evidence["instead"] == '[::] with server.set-v6only = "disable"'


def test_a_file_counts_for_the_program_that_the_command_names() -> None:
    deployment = workload([VOLUME], command=["uwsgi", "--ini", "/etc/conf/uwsgi.ini"], volumeMounts=[MOUNT])
    maps = [config(**{"uwsgi.ini": "[uwsgi]\nsocket = /run/web.sock\nhttp-socket = :8000\n"})]
    (seen,) = values("APP001", workloads=[deployment], config_maps=maps)
    assert (seen["value"], seen["instead"]) == (":8000", "[::]:8000")


@pytest.mark.parametrize(
    ("image", "key", "value", "expected"),
    [
        ("haproxy:3.0", "haproxy.cfg", "frontend f\n  bind :8080,:8081", ":::8080,:::8081"),
        ("shop/web:1", "gunicorn.conf.py", "bind = ['0.0.0.0:8080', '0.0.0.0:8081']", "['[::]:8080', '[::]:8081']"),
        ("shop/web:1", "gunicorn.conf.py", "bind = [\n  '0.0.0.0:8080',\n]", "[\n  '[::]:8080',\n]"),
    ],
)
def test_every_address_of_a_list_in_a_file_is_rewritten(image: str, key: str, value: str, expected: str) -> None:
    command = ["gunicorn", "shop:app"] if "gunicorn" in key else []
    pod = workload([VOLUME], image=image, command=command, volumeMounts=[MOUNT])
    (found,) = values("APP001", workloads=[pod], config_maps=[config(**{key: value})])
    assert found["instead"] == expected
