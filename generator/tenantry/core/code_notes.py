"""Why the findings about objects have their severity, who says so upstream, and how to fix them, by code.

An error does not work, or opens something. A warning works until a drain, a rollout, an incident or a restore, or could not
be checked.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """What `tenantry explain` and the reference say of a code beside its meaning."""

    severity: str
    source: str
    fix: str


_KUBERNETES = "Kubernetes, pkg/apis/*/validation"
_ADMISSION = "Kubernetes, plugin/pkg/admission and staging/src/k8s.io/pod-security-admission/policy"

NOTES: dict[str, Note] = {
    "V001": Note("error: no tool can apply it", "sigs.k8s.io/yaml, as kubectl and Argo CD read it", "Correct the YAML at the line; fill templates in first."),
    "V002": Note("error, or a warning for a file of another tool and a Helm chart", "Kubernetes, API conventions: apiVersion, kind and metadata.name", "Complete the object, or keep the file elsewhere."),
    "V003": Note("error: nothing says that it is good", "etcd takes requests of at most 1.5 MiB", "Split the file."),
    "V004": Note("error: nothing says that it is good", "the operating system's answer", "Put an ordinary, readable file there."),
    "V010": Note("error; outside of a fleet a warning for API groups of operators that are not known", "Kubernetes' OpenAPI documents, and the operators' CustomResourceDefinitions", "See the spelling of apiVersion and kind, or add the CustomResourceDefinition."),
    "V011": Note("error: the API server has no such version", "Kubernetes, deprecated API migration guide; the operators' CustomResourceDefinitions", "Write a version that is served."),
    "V012": Note("warning: it works until the version is removed", "Kubernetes, deprecated API migration guide", "Write the version that takes its place."),
    "V014": Note("error; outside of a fleet a warning for objects in two files", "Argo CD, RepeatedResourceWarning; kubectl applies both, one after the other", "Keep one of them."),
    "V020": Note("error; outside of a fleet a warning where a newer operator may know the field", "the kind's OpenAPI schema", "See the field's spelling and place, or the operator's version."),
    "V021": Note("error: the API server refuses the object", "the kind's OpenAPI schema", "Write a value of the right type, and the fields that are required."),
    "V022": Note("error: the API server refuses the object", "x-kubernetes-validations of the CustomResourceDefinition", "Make the rule hold."),
    "V023": Note("error: the operator can't read it", "the operator's own parser", "Correct the expression."),
    "V024": Note("error: nothing says that it is good", "limits of this program", "Make the object smaller, or split it."),
    "V030": Note("error: the API server refuses the object", "Kubernetes, apimachinery/pkg/api/validation", "Write a name of the allowed letters and length."),
    "V031": Note("warning: the API server drops the namespace; in a fleet, error for an object without one", "Kubernetes, apiserver/pkg/endpoints/handlers", "Remove the namespace, or write it."),
    "V032": Note("error: the API server refuses the object", _KUBERNETES, "Store less, or add the keys."),
    "V033": Note("error: the API server refuses the object", "Kubernetes, apimachinery/pkg/api/resource", "Write a quantity within its limit."),
    "V034": Note("error: it opens what the password guards", "RFC 3986, 3.2.1", "Keep it in the secret store, and change it."),
    "V040": Note("error: the operator's webhook refuses it, or PostgreSQL or PgBouncer does not start", "CloudNativePG, internal/webhook/v1; PostgreSQL, libpq/hba.c and utils/misc/guc.c; PgBouncer, doc/config.md", "Write what the message allows."),
    "V041": Note("error for what never runs, warning for what runs at another time than it seems", "github.com/robfig/cron and the operators' parsers", "Write the schedule in the fields that the operator reads."),
    "V042": Note("error: Traefik drops the route, or no request meets it; warning where its settings decide", "Traefik, pkg/provider/kubernetes/crd and pkg/muxer", "Write the rule and the reference as Traefik reads them."),
    "V043": Note("error: Traefik drops the middleware and its routes", "Traefik, pkg/middlewares and pkg/tls", "Write a value that Traefik takes."),
    "V044": Note("error: Argo CD refuses or ignores it; warning where it is for nothing", "Argo CD, pkg/apis/application/v1alpha1, util/argo and the user guide", "Write Argo CD's word for it."),
    "V045": Note("error: the operator's webhook refuses the rule", "Prometheus, model/rulefmt", "Correct the rule."),
    "V046": Note("error: the webhook refuses it, or it is never issued", "cert-manager, internal/apis/certmanager/validation and pkg/controller", "Write what the issuer can issue."),
    "V047": Note("error: the autoscaler does nothing", "Kubernetes, pkg/controller/podautoscaler; KEDA, apis/keda/v1alpha1", "Complete what it measures and scales."),
    "V048": Note("error: no Secret is made", "External Secrets, apis/externalsecrets/v1 and pkg/controllers", "Write what the store and the template give."),
    "V049": Note("error: Velero marks it FailedValidation", "Velero, pkg/controller", "Write fields that go together."),
    "V050": Note("error: the API server refuses the object; warning for a mode that is meant in octal", _KUBERNETES, "Write what the message allows."),
    "V052": Note("error: the controller is taken, and its Pods are never made", _ADMISSION, "Change the Pod, or what the namespace allows."),
    "V053": Note("warning: it works until a node is drained, a release comes or the load changes", "Kubernetes, pkg/registry/core/pod/storage/eviction.go, docs on disruptions, rollouts and autoscaling", "Leave room for one Pod to go."),
    "V054": Note("error: each undoes the other's work", "the controllers of the objects", "Let one object own it."),
    "V055": Note("warning: what other policies and plug-ins of the cluster allow is not known here", "Kubernetes, docs on NetworkPolicies; CloudNativePG, docs/src/samples/networkpolicy-example.yaml", "Allow the port from or to the Pods in question."),
    "V056": Note("error: no backup is made or can be restored; warning where one vanishes early", "CloudNativePG and plugin-barman-cloud; Velero, pkg/controller", "Set the backup up as the message says, and restore one."),
    "V057": Note("error: it opens something; warning where settings of the cluster decide", "Traefik, pkg/server/router; Kyverno; Kubernetes, pkg/admission", "Put the guard where it is asked."),
    "V058": Note("warning: what it was written for does not happen", "the controllers of the objects", "Write it so that it counts, or remove it."),
    "V059": Note("error: Odoo ends, or takes another value; warning for a name that it does not know", "Odoo, odoo/tools/config.py", "Write the option as Odoo reads it."),
    "V060": Note("error: the object waits or fails", "the controllers of the objects", "Add what is referred to, or see its name and namespace."),
    "V061": Note("error: the object waits or fails", "the controllers of the objects", "Add the key, or see its name."),
    "V062": Note("error: nobody answers; warning for a port that a container does not name", "Kubernetes, pkg/proxy and pkg/kubelet/prober", "Write a port that is there."),
    "V063": Note("error: it is for nothing; warning where something else may have the labels", "Kubernetes, apimachinery/pkg/labels", "See the labels of the Pod templates."),
    "V064": Note("error: the sync is refused; warning where it depends on the cluster", "Argo CD, docs/user-guide/projects", "Allow it in the AppProject."),
    "V065": Note("error: the sync fails or never ends", "Argo CD, docs/user-guide/sync-waves", "Give what is needed an earlier phase or wave."),
    "V066": Note("warning: it does no harm", "the objects of the tree", "Remove it, or see the reference's spelling."),
    "V067": Note("warning: it could not be checked here", "the objects of the tree", "Verify it together with the tree that holds it."),
    "V070": Note("error: the fleet's policy refuses it", "the policy in policies/", "Change the object, or lift the control with an exception."),
    "V071": Note("error: nothing says that it is good", "Kyverno's engine", "Make the policy answer for the object."),
    "V072": Note("error: the policy enforces nothing", "Kyverno's compiler", "Correct the expression."),
    "V073": Note("warning: the policy enforces nothing", "Kyverno's engine", "See matchConstraints."),
    "V074": Note("error: nothing was proved", "the fleet's inputs", "Render the cluster's folder."),
    "V076": Note("warning: which of the two answers depends on age or chance", "Traefik, pkg/muxer/http; ingress-nginx, docs/how-it-works", "Give each a host, a path or a priority of its own."),
    "V077": Note("warning: browsers refuse the host, unless a certificate beside the tree is for it", "RFC 6125, 6.4.3; Traefik, pkg/tls", "Add the host to the Certificate's dnsNames."),
    "V078": Note("error for values that are ignored, a warning for a version that moves", "Argo CD 3.6, util/versions/tags.go; docs/user-guide/helm.md", "Name one version of the chart, and one kind of values."),
    "V090": Note("error: the operator leaves the whole object out, and says so in its log only", "prometheus-operator, pkg/alertmanager/validation", "Name receivers and time intervals of the same object, each once."),
    "V075": Note("error: nothing says how to judge it", "the fleet's inputs", "Move it into a cluster's folder."),
}  # fmt: skip
