"""Programs of the cluster: the nodes' own, and those that run in Pods."""

from __future__ import annotations

from acceptance.harness.programs import ETCD, KUBERNETES, KUBERNETES_VERSION, Program

_VERSION = "k8s.io/component-base/version"

NODE = Program(
    "kubernetes-node",
    "k8s.io/kubernetes",
    {name: f"k8s.io/kubernetes/cmd/{name}" for name in ("kubelet", "kube-proxy")},
    linker=f"-X {_VERSION}.gitVersion=v{KUBERNETES_VERSION} -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=37",
)
COREDNS = Program("coredns", "github.com/coredns/coredns", {"coredns": "github.com/coredns/coredns"})
KUBE_ROUTER = Program(
    "kube-router",
    "github.com/cloudnativelabs/kube-router/v2",
    {"kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"},
)
LOCAL_PATH = Program(
    "local-path-provisioner",
    "github.com/rancher/local-path-provisioner",
    {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
)

BASE = (ETCD, KUBERNETES, NODE, COREDNS, KUBE_ROUTER, LOCAL_PATH)
"""What an empty cluster needs."""
CLOUDNATIVE_PG = Program(
    "cloudnative-pg",
    "github.com/cloudnative-pg/cloudnative-pg",
    {"manager": "github.com/cloudnative-pg/cloudnative-pg/cmd/manager"},
    assets=("releases/cnpg-1.30.0.yaml",),
)
"""The same module as the acceptance suite's, with the manifest of the release."""

BARMAN_CLOUD_PLUGIN = Program(
    "plugin-barman-cloud",
    "github.com/cloudnative-pg/plugin-barman-cloud",
    {"manager": "github.com/cloudnative-pg/plugin-barman-cloud/cmd/manager"},
    assets=("manifest.yaml",),
)

CERT_MANAGER = Program(
    "cert-manager",
    "github.com/cert-manager/cert-manager",
    {"cert-manager": "."},
)
"""Its controllers without webhook, ACME and vendors: its own program is a module that no proxy serves."""
EXTERNAL_SECRETS = Program(
    "external-secrets", "github.com/external-secrets/external-secrets", {"external-secrets": "."}
)
"""With the provider `kubernetes` alone; the last version whose providers lie in the released module."""
KYVERNO = Program(
    "kyverno",
    "github.com/kyverno/kyverno",
    {"kyverno": "github.com/kyverno/kyverno/cmd/kyverno"},
    assets=("config/install-latest-testing.yaml",),
)
METRICS_SERVER = Program(
    "metrics-server",
    "sigs.k8s.io/metrics-server",
    {"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
    assets=tuple(f"manifests/base/{name}.yaml" for name in ("apiservice", "deployment", "rbac", "service")),
)
VERSITYGW = Program(
    "versitygw", "github.com/versity/versitygw", {"versitygw": "github.com/versity/versitygw/cmd/versitygw"}
)
"""An S3 server that knows rights of keys, which rclone's does not."""

PROMETHEUS_OPERATOR = Program(
    "prometheus-operator",
    "github.com/prometheus-operator/prometheus-operator",
    {
        "operator": "github.com/prometheus-operator/prometheus-operator/cmd/operator",
        "prometheus-config-reloader": "github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader",
    },
    assets=("example/rbac",),
)
"""The last version that is served as a module."""
PROMETHEUS = Program(
    "prometheus", "github.com/prometheus/prometheus", {"prometheus": "github.com/prometheus/prometheus/cmd/prometheus"}
)
ALERTMANAGER = Program(
    "alertmanager",
    "github.com/prometheus/alertmanager",
    {"alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager"},
)
"""Later modules lack the pages that the program serves."""

OPERATORS = (CLOUDNATIVE_PG, BARMAN_CLOUD_PLUGIN, CERT_MANAGER, EXTERNAL_SECRETS, KYVERNO, METRICS_SERVER)
