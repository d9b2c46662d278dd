"""Which kinds of Kubernetes objects there are to read: by API group, and in which section each is held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of object by API group (empty for the core group), plural as in URLs, and kind as in manifests."""

    group: str
    plural: str
    kind: str


KINDS: Mapping[str, tuple[Kind, ...]] = {
    "auto_mode_node_classes": (Kind("eks.amazonaws.com", "nodeclasses", "NodeClass"),),
    "config_maps": (Kind("", "configmaps", "ConfigMap"),),
    "custom_resource_definitions": (
        Kind("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition"),
    ),
    "endpoints": (
        Kind("discovery.k8s.io", "endpointslices", "EndpointSlice"),
        Kind("", "endpoints", "Endpoints"),
    ),
    "eni_configs": (Kind("crd.k8s.amazonaws.com", "eniconfigs", "ENIConfig"),),
    "envoy_proxies": (Kind("gateway.envoyproxy.io", "envoyproxies", "EnvoyProxy"),),
    "gateway_classes": (Kind("gateway.networking.k8s.io", "gatewayclasses", "GatewayClass"),),
    "gateway_routes": tuple(
        Kind("gateway.networking.k8s.io", f"{kind.lower()}s", kind)
        for kind in ("GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute")
    ),
    "gateways": (Kind("gateway.networking.k8s.io", "gateways", "Gateway"),),
    "ingress_class_params": (
        Kind("elbv2.k8s.aws", "ingressclassparams", "IngressClassParams"),
        Kind("eks.amazonaws.com", "ingressclassparams", "IngressClassParams"),
    ),
    "ingress_classes": (Kind("networking.k8s.io", "ingressclasses", "IngressClass"),),
    "ingress_middlewares": (
        Kind("traefik.io", "middlewares", "Middleware"),
        Kind("traefik.io", "middlewaretcps", "MiddlewareTCP"),
        Kind("traefik.containo.us", "middlewares", "Middleware"),
        Kind("configuration.konghq.com", "kongplugins", "KongPlugin"),
        Kind("configuration.konghq.com", "kongclusterplugins", "KongClusterPlugin"),
    ),
    "ingresses": (Kind("networking.k8s.io", "ingresses", "Ingress"),),
    "ip_pools": (
        Kind("crd.projectcalico.org", "ippools", "IPPool"),
        Kind("projectcalico.org", "ippools", "IPPool"),
        Kind("operator.tigera.io", "installations", "Installation"),
        Kind("cilium.io", "ciliumpodippools", "CiliumPodIPPool"),
    ),
    "istio_installations": (
        Kind("install.istio.io", "istiooperators", "IstioOperator"),
        Kind("sailoperator.io", "istios", "Istio"),
    ),
    "istio_networking": (
        Kind("networking.istio.io", "serviceentries", "ServiceEntry"),
        Kind("networking.istio.io", "sidecars", "Sidecar"),
        Kind("networking.istio.io", "envoyfilters", "EnvoyFilter"),
    ),
    "listener_rule_configurations": (
        Kind("gateway.k8s.aws", "listenerruleconfigurations", "ListenerRuleConfiguration"),
    ),
    "load_balancer_configurations": (
        Kind("gateway.k8s.aws", "loadbalancerconfigurations", "LoadBalancerConfiguration"),
    ),
    "network_policies": (Kind("networking.k8s.io", "networkpolicies", "NetworkPolicy"),),
    "node_classes": (
        Kind("karpenter.k8s.aws", "ec2nodeclasses", "EC2NodeClass"),
        Kind("karpenter.k8s.aws", "awsnodetemplates", "AWSNodeTemplate"),
    ),
    "node_pools": (
        Kind("karpenter.sh", "nodepools", "NodePool"),
        Kind("karpenter.sh", "provisioners", "Provisioner"),
    ),
    "nodes": (Kind("", "nodes", "Node"),),
    "other_policies": (
        Kind("crd.projectcalico.org", "networkpolicies", "NetworkPolicy"),
        Kind("crd.projectcalico.org", "globalnetworkpolicies", "GlobalNetworkPolicy"),
        Kind("crd.projectcalico.org", "networksets", "NetworkSet"),
        Kind("crd.projectcalico.org", "globalnetworksets", "GlobalNetworkSet"),
        Kind("projectcalico.org", "networkpolicies", "NetworkPolicy"),
        Kind("projectcalico.org", "globalnetworkpolicies", "GlobalNetworkPolicy"),
        Kind("projectcalico.org", "networksets", "NetworkSet"),
        Kind("projectcalico.org", "globalnetworksets", "GlobalNetworkSet"),
        Kind("cilium.io", "ciliumnetworkpolicies", "CiliumNetworkPolicy"),
        Kind("cilium.io", "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy"),
        Kind("cilium.io", "ciliumegressgatewaypolicies", "CiliumEgressGatewayPolicy"),
        Kind("policy.networking.k8s.io", "adminnetworkpolicies", "AdminNetworkPolicy"),
        Kind("policy.networking.k8s.io", "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy"),
        Kind("policy.networking.k8s.io", "clusternetworkpolicies", "ClusterNetworkPolicy"),
        Kind("networking.k8s.aws", "clusternetworkpolicies", "ClusterNetworkPolicy"),
        Kind("security.istio.io", "authorizationpolicies", "AuthorizationPolicy"),
    ),
    "pod_identity_objects": (Kind("eks.services.k8s.aws", "podidentityassociations", "PodIdentityAssociation"),),
    "pods": (Kind("", "pods", "Pod"),),
    "scrape_configs": (
        Kind("monitoring.coreos.com", "servicemonitors", "ServiceMonitor"),
        Kind("monitoring.coreos.com", "podmonitors", "PodMonitor"),
        Kind("monitoring.coreos.com", "scrapeconfigs", "ScrapeConfig"),
        Kind("operator.victoriametrics.com", "vmnodescrapes", "VMNodeScrape"),
        Kind("operator.victoriametrics.com", "vmpodscrapes", "VMPodScrape"),
        Kind("operator.victoriametrics.com", "vmscrapeconfigs", "VMScrapeConfig"),
        Kind("operator.victoriametrics.com", "vmservicescrapes", "VMServiceScrape"),
    ),
    "security_group_policies": (Kind("vpcresources.k8s.aws", "securitygrouppolicies", "SecurityGroupPolicy"),),
    "service_accounts": (Kind("", "serviceaccounts", "ServiceAccount"),),
    "services": (Kind("", "services", "Service"),),
    "storage_classes": (
        Kind("storage.k8s.io", "storageclasses", "StorageClass"),
        Kind("storage.k8s.io", "csidrivers", "CSIDriver"),
        Kind("", "persistentvolumes", "PersistentVolume"),
    ),
    "target_group_bindings": (Kind("elbv2.k8s.aws", "targetgroupbindings", "TargetGroupBinding"),),
    "target_group_configurations": (Kind("gateway.k8s.aws", "targetgroupconfigurations", "TargetGroupConfiguration"),),
    "webhook_configurations": (
        Kind("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
        Kind("admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
    ),
    "webhooks": (
        Kind("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    ),
    "workloads": (
        Kind("apps", "deployments", "Deployment"),
        Kind("apps", "daemonsets", "DaemonSet"),
        Kind("apps", "statefulsets", "StatefulSet"),
        Kind("apps", "replicasets", "ReplicaSet"),
        Kind("batch", "jobs", "Job"),
        Kind("batch", "cronjobs", "CronJob"),
        Kind("", "pods", "Pod"),
    ),
}
"""Which kinds each section holds. Objects that a controller made from another are left to that other."""

FILES_ONLY: Mapping[str, tuple[Kind, ...]] = {
    "operator_objects": (
        Kind("acid.zalan.do", "postgresqls", "postgresql"),
        Kind("cassandra.datastax.com", "cassandradatacenters", "CassandraDatacenter"),
        Kind("k8ssandra.io", "k8ssandraclusters", "K8ssandraCluster"),
        Kind("kafka.strimzi.io", "kafkabridges", "KafkaBridge"),
        Kind("kafka.strimzi.io", "kafkaconnects", "KafkaConnect"),
        Kind("kafka.strimzi.io", "kafkamirrormaker2s", "KafkaMirrorMaker2"),
        Kind("kafka.strimzi.io", "kafkas", "Kafka"),
        Kind("opentelemetry.io", "instrumentations", "Instrumentation"),
        Kind("opentelemetry.io", "opentelemetrycollectors", "OpenTelemetryCollector"),
        Kind("postgres-operator.crunchydata.com", "postgresclusters", "PostgresCluster"),
        Kind("rabbitmq.com", "rabbitmqclusters", "RabbitmqCluster"),
        Kind("sparkoperator.k8s.io", "scheduledsparkapplications", "ScheduledSparkApplication"),
        Kind("sparkoperator.k8s.io", "sparkapplications", "SparkApplication"),
    ),
}
"""Sections of files alone: what operators make workloads of. A live cluster shows the workloads themselves."""

OPERATED = frozenset((kind.group, kind.kind) for kind in FILES_ONLY["operator_objects"])
"""The objects of operators by group and kind."""

WORKLOADS = frozenset((kind.group, kind.kind) for kind in KINDS["workloads"])
"""The built-in workloads by group and kind."""

CLUSTER_SCOPED = frozenset(
    {
        "AWSNodeTemplate",
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "CSIDriver",
        "CiliumClusterwideNetworkPolicy",
        "CiliumEgressGatewayPolicy",
        "CiliumPodIPPool",
        "ClusterNetworkPolicy",
        "CustomResourceDefinition",
        "EC2NodeClass",
        "ENIConfig",
        "GatewayClass",
        "GlobalNetworkPolicy",
        "GlobalNetworkSet",
        "IPPool",
        "IngressClass",
        "IngressClassParams",
        "Installation",
        "Istio",
        "KongClusterPlugin",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "NodeClass",
        "NodePool",
        "PersistentVolume",
        "Provisioner",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    }
)
"""Kinds that live in no namespace."""
