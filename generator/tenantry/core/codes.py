"""Every finding code: what it means and what to do. The reference page and `tenantry explain CODE` come from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """First letter = stage: S source and schema, R resolve, F fleet, T template, K Kustomize, G trees, V objects."""

    id: str
    title: str
    meaning: str


CODES: tuple[Code, ...] = (
    Code(
        "S001", "Input can't be read", "A file or folder is missing, is a link or a special file, or may not be read."
    ),
    Code("S002", "Input is too large", "An input file is over 1 MiB. Each holds one entry; none needs that much."),
    Code("S003", "Input is not UTF-8", "YAML files are UTF-8 text."),
    Code("S004", "Not valid YAML", "The text can't be parsed, is indented with tabs, or is nested too deep."),
    Code("S005", "Repeated key", "A mapping names one key twice; YAML readers differ in which one counts."),
    Code("S006", "Anchor, alias or merge key", "Each line should say what it means; values are written out."),
    Code("S007", "Tag", "Types come from the schema, never from a YAML tag."),
    Code("S008", "Second document", "One entry a file."),
    Code(
        "S009", "Empty file", "The file holds nothing. An entry that is not wanted any more is removed with its file."
    ),
    Code(
        "S010",
        "Ambiguous word",
        "A bare word is a boolean, number, date or null to YAML 1.1 readers and text to others, or the reverse.",
    ),
    Code("S011", "Wrong structure", "The file is no mapping, or a key is no plain word."),
    Code(
        "S012",
        "Hidden character",
        "Text, a key, a comment or a file's name holds what nobody sees: bidirectional marks, zero-width letters, controls, fillers.",
    ),
    Code(
        "S013",
        "Credentials in an address",
        "An address names a user and a password, or over HTTP any user, who may be a token. Whoever reads the repository would have it.",
    ),
    Code("S020", "Unknown field", "The schema of the kind has no such field or entry."),
    Code("S021", "Missing field", "A required field is not there."),
    Code("S022", "Wrong type", "The value is text where a number is wanted, or the like."),
    Code("S023", "Value does not fit", "The value is outside of its range, list or pattern."),
    Code("S024", "Wrong kind", "The file's kind does not belong into its folder."),
    Code("S025", "Wrong apiVersion", "The file is of another version of the format."),
    Code("S026", "File name differs from metadata.name", "The file of an entry is called like the entry."),
    Code(
        "S027",
        "File that nothing reads",
        "A file in an input folder does not end in .yaml, so it would be silently ignored.",
    ),
    Code(
        "S028",
        "Policy can't be used",
        "policies/<name>/policy.yaml is no ValidatingPolicy, or names no control or another policy.",
    ),
    Code("R001", "Unknown reference", "A name leads to no entry: tier, cell, channel, release, cluster or node pool."),
    Code("R002", "Override out of bounds", "A tenant's override is over what its tier allows."),
    Code("R003", "No standby cell", "The tier keeps a replica at the DR site, where no cell takes it."),
    Code("R004", "Too many users", "The tier's largest instance has too few workers for the tenant's users."),
    Code("R005", "Tier contradicts itself", "Fields of a tier need each other, or exclude each other."),
    Code(
        "R006",
        "Cell lacks what its tier shares",
        "A cell of this tier needs a shared PostgreSQL, a shared Redis, or a PostgreSQL version.",
    ),
    Code("F001", "Host is taken", "Two instances claim one host; a request could reach the wrong tenant."),
    Code(
        "F002",
        "Host below the platform's domain",
        "Such hosts are derived from tenant and environment, so that nobody takes another's.",
    ),
    Code("F003", "Cell is full", "A cell bounds how many tenants one fault can reach; it takes no more."),
    Code(
        "F004", "Cell of another tier", "The cell's nodes and databases promise something else than the tenant's tier."
    ),
    Code(
        "F005",
        "Cell does not take the environment",
        "Production shares no cell with staging; standby and decommissioned cells take nobody.",
    ),
    Code("F006", "Outside of residency", "Data or a copy of it would lie in a region that the tenant does not allow."),
    Code("F007", "Unknown region", "platform.yaml lists no such region."),
    Code("F008", "Dedicated cluster is shared", "A dedicated tenant's cluster would hold another customer."),
    Code("F009", "Cell mixes environments", "Production and other environments share a cell."),
    Code("F010", "DR partners do not match", "Partners point at each other and lie in partner regions."),
    Code("F011", "Classification does not fit the tier", "The tier may not hold data or obligations of this kind."),
    Code("F012", "Not offered by the tier", "The tier has no such environment or does not follow the channel."),
    Code(
        "F013", "Outside of the tier's bounds", "Users, hosts, integrations or overrides are more than the tier allows."
    ),
    Code(
        "F014", "Maintenance window not allowed", "The tier gives the platform's window or slots, or windows overlap."
    ),
    Code("F015", "Backups meet the window", "No backup time keeps out of the maintenance windows."),
    Code("F016", "Clusters' address ranges overlap", "Peered clusters with equal addresses can't be told apart."),
    Code(
        "F017",
        "Outside addresses are not allowed",
        "Ranges of an integration, of administrators, of object storage or of a private link are too wide, or would open a way "
        "to metadata, nodes or a cluster.",
    ),
    Code(
        "F018",
        "Not on the private link",
        "A private integration lies outside of what the cluster's private link reaches.",
    ),
    Code(
        "F019",
        "PostgreSQL version does not fit",
        "The release does not take the cell's version, or the platform has no image of it.",
    ),
    Code("F020", "Not proved in staging", "A release reaches production only after staging."),
    Code("F021", "Exception is not valid", "It names no real tenant or control, has expired, or approves itself."),
    Code(
        "F022",
        "Tier keeps too few controls",
        "The tenant's classification demands a control that its tier does not keep.",
    ),
    Code(
        "F023",
        "Exception lifts nothing",
        "The tenant keeps the control that the exception would lift; it is no longer needed.",
    ),
    Code(
        "F024",
        "Policy trusts an unknown account",
        "A policy lets pass what an account asks for that is no operator's of platform.yaml and no controller of Kubernetes.",
    ),
    Code("F025", "Component is below its floor", "A platform component has a known fault that a later version fixed."),
    Code(
        "F026",
        "Release can't reach its object store",
        "None of its storage modules reads the store's section in odoo.conf, so attachments would go to another address.",
    ),
    Code(
        "T001",
        "Template can't be rendered",
        "A template uses a value that is not there, or writes one without a filter.",
    ),
    Code("T002", "Template makes no object", "What a template makes is not one Kubernetes object."),
    Code("K001", "Kustomize refuses", "The overlay can't be built."),
    Code("K002", "Object made twice", "Two templates give the same object."),
    Code(
        "G001",
        "Foreign file",
        "A generated tree holds a file that tenantry did not make; nothing is touched until it is moved.",
    ),
    Code("G002", "Generated file is missing", "The trees are behind the inputs."),
    Code("G003", "Generated file differs", "The trees are behind the inputs, or somebody edited a generated file."),
    Code("G004", "Generated file is left over", "Nothing makes the file any more."),
    Code("G005", "Data would vanish", "A tenant or cell would lose its namespace although nobody said that it may."),
    Code(
        "G006",
        "Interrupted write",
        "A run was stopped while it moved files into place; the next 'tenantry render' finishes it.",
    ),
    Code(
        "G007",
        "Work folder is not ours",
        "'.tenantry' is a link, or holds what no run left there. Runs keep their state outside of the working tree; "
        "what lies here came with a commit or by hand, and is never acted on.",
    ),
    Code("V001", "File can't be parsed", "The text is no YAML or JSON, names a key twice, or is not UTF-8."),
    Code("V002", "No Kubernetes object", "A document has no apiVersion, kind or name, or is no mapping."),
    Code(
        "V003", "File is too large", "Files of over 16 MiB are not checked; a cluster takes no object near that size."
    ),
    Code("V004", "File can't be read", "It is a link, a special file, or may not be read, so it could not be checked."),
    Code("V010", "Unknown kind", "Neither Kubernetes nor a known operator has the kind, so it could not be checked."),
    Code("V011", "Version not served", "The cluster's Kubernetes, or the operator, does not serve this apiVersion."),
    Code("V012", "Deprecated version", "The apiVersion is served, but will not be for ever."),
    Code("V014", "Object twice", "Two files give one object; which of them a cluster keeps is chance."),
    Code("V020", "Unknown field", "The kind has no such field; a strict API server refuses it, others drop it."),
    Code("V021", "Refused by the schema", "A type, an enumeration, a pattern, a limit, or a field that must be there."),
    Code("V022", "Refused by a rule of the schema", "A CEL rule of the CustomResourceDefinition does not hold."),
    Code("V023", "Text that does not parse", "A cron expression, a PromQL expression or a routing rule."),
    Code(
        "V024",
        "Could not be judged",
        "The object, file or definition is over a limit on size, depth, defaults, problems or time, or what judges it "
        "can't be used. Nothing says that it is good.",
    ),
    Code("V030", "Not a valid name", "A name, label, key or port name breaks Kubernetes' rules for it."),
    Code("V031", "Namespace does not fit", "A cluster-wide object names a namespace."),
    Code("V032", "Too large, or not complete", "Data or annotations over the limit, or a Secret without its keys."),
    Code("V033", "Not a valid quantity", "An amount that can't be read, is negative, or is over its limit."),
    Code(
        "V034",
        "Credentials in an address",
        "A field holds an address with user information, which everyone knows who reads the object or the repository.",
    ),
    Code("V040", "CloudNativePG refuses", "A rule of the operator's webhooks, which no schema holds."),
    Code("V041", "Bad schedule or time zone", "The time would be another one than meant, or never comes."),
    Code("V042", "Traefik drops the route", "Traefik logs the error and serves the rest."),
    Code("V043", "Traefik drops the middleware or TLS option", "Traefik logs the error and serves the rest."),
    Code("V044", "Argo CD refuses", "An Application or AppProject that the controller does not take as meant."),
    Code("V045", "Prometheus refuses the rule", "alert xor record, durations, names, groups."),
    Code("V046", "cert-manager refuses", "Durations, keys, subjects or issuers."),
    Code("V047", "Autoscaler does not work", "Bounds, windows, or two autoscalers for one workload."),
    Code("V048", "External Secrets refuses", "Policies that exclude each other, or nothing to fetch."),
    Code("V049", "Velero refuses", "The Schedule would be marked FailedValidation."),
    Code("V050", "The API server refuses", "A rule of the API server's validation, which no schema holds."),
    Code("V060", "Reference leads nowhere", "The object, volume or entry that is named is not there."),
    Code("V061", "Key is missing", "The Secret, ConfigMap or catalogue is there, but not the key that is wanted."),
    Code("V062", "Port is missing", "The Pods or the Service are there, but have no such port."),
    Code("V063", "Selector takes nothing", "No Pod or Service has the labels."),
    Code("V064", "Argo CD would not deliver", "The AppProject does not let the Application, or an object of it, in."),
    Code("V065", "Order can't work", "A hook or wave that Argo CD misreads, or that needs what comes later."),
    Code("V066", "Nobody uses it", "A ConfigMap that nothing refers to."),
    Code("V067", "Reference could not be checked", "What is named may be there, but not in this tree."),
    Code(
        "V070",
        "Policy broken",
        "A Kyverno policy of policies/ refuses the object; the finding names the control that it keeps.",
    ),
    Code(
        "V071", "Policy gave no verdict", "A policy failed on the object, or skipped it although no exception says so."
    ),
    Code(
        "V072", "Policy can't be used", "Kyverno can't compile the policy or the exception, so it would guard nothing."
    ),
    Code("V073", "Policy meets nothing", "Objects of the policy's kinds are there, and it met none of them."),
    Code(
        "V074",
        "Cluster is missing",
        "The fleet has a cluster of which the tree holds nothing, so nothing of it could be proved.",
    ),
    Code(
        "V075", "Of no cluster", "It lies beside the folders of the clusters, so nothing says how it is to be judged."
    ),
)

BY_ID = {code.id: code for code in CODES}
