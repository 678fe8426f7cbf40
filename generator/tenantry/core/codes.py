"""Finding codes and what they mean; the source of the reference page and of `tenantry explain CODE`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """The first letter is the stage: S source and schema, R resolve, F fleet, T template, K Kustomize, G trees, V objects."""

    id: str
    title: str
    meaning: str


_CODES: tuple[Code, ...] = (
    Code("S001", "Input can't be read", "A file or folder is missing, unreadable, a link or a special file."),
    Code("S002", "Input is too large", "An input file is larger than 1 MiB. It should hold a single entry."),
    Code("S003", "Input is not UTF-8", "YAML files must be UTF-8 text."),
    Code("S004", "Not valid YAML", "The text can't be parsed, is indented with tabs, or is nested too deeply."),
    Code("S005", "Repeated key", "A mapping contains the same key twice; YAML parsers disagree on which one wins."),
    Code(
        "S006",
        "Anchor, alias or merge key",
        "Every line must be readable on its own, so values are written out in full.",
    ),
    Code("S007", "YAML tag", "Types come from the schema, never from a tag."),
    Code("S008", "Second document", "A file holds one entry."),
    Code("S009", "Empty file", "The file is empty. To remove an entry, delete its file."),
    Code(
        "S010",
        "Ambiguous word",
        "An unquoted word is a boolean, number, date or null to some YAML parsers (1.1 or 1.2) and text to others.",
    ),
    Code("S011", "Wrong structure", "The file is not a mapping, or a key is not a plain word."),
    Code(
        "S012",
        "Hidden character",
        "A value, key, comment or file name contains invisible characters: bidirectional marks, zero-width letters, controls, fillers.",
    ),
    Code(
        "S013",
        "Credentials in an address",
        "A URL contains a user and a password, or over HTTP any user, which may be a token. Everyone who can read the repository would know it.",
    ),
    Code(
        "S014",
        "Merge conflict",
        "The file contains the markers of a merge that git left to a person. Nothing else in it is checked until they are gone.",
    ),
    Code("S020", "Unknown field", "The schema of this kind has no such field or entry."),
    Code("S021", "Missing field", "A required field is missing."),
    Code("S022", "Wrong type", "The value has the wrong type, such as text where a number is expected."),
    Code(
        "S023",
        "Invalid value",
        "The value is outside its range, not in the list of allowed values, or does not match the pattern.",
    ),
    Code("S024", "Wrong kind", "Files of this kind do not belong in this folder."),
    Code("S025", "Wrong apiVersion", "The file is written for another version of the format."),
    Code("S026", "File name differs from metadata.name", "The file must be named after the entry."),
    Code(
        "S027",
        "File is not read",
        "A file in an input folder does not end in .yaml and would be silently ignored.",
    ),
    Code(
        "S028",
        "Policy can't be used",
        "policies/<name>/policy.yaml is not a ValidatingPolicy, names no control, or is named differently from its folder.",
    ),
    Code(
        "S029",
        "Not in canonical form",
        "Fields are not in the order of the schema, or values are quoted or indented in another way; 'tenantry fmt' changes that.",
    ),
    Code(
        "S030",
        "Policy has no test suite",
        "No kyverno-test.yaml lies beside the policy, so nothing shows what it accepts and what it refuses.",
    ),
    Code("R001", "Unknown reference", "No such tier, cell, channel, release, cluster or node pool."),
    Code("R002", "Override out of bounds", "A tenant's override exceeds what its tier allows."),
    Code("R003", "No standby cell", "The tier keeps a replica at the DR site, but no standby cell there can host it."),
    Code("R004", "Too many users", "Even the tier's largest instance has too few workers for this tenant's users."),
    Code("R005", "Tier contradicts itself", "Fields of the tier require or exclude each other."),
    Code(
        "R006",
        "Cell lacks what its tier shares",
        "A cell of this tier needs a shared PostgreSQL, a shared Redis, or a PostgreSQL version.",
    ),
    Code(
        "R007",
        "Value would hurt",
        "It is allowed, and would lock users out, stop writes, or leave nothing to restore from.",
    ),
    Code("F001", "Host is taken", "Two instances claim the same host, so a request could reach the wrong tenant."),
    Code(
        "F002",
        "Host below the platform's domain",
        "Hosts below the platform's domain are derived from tenant and environment, so that nobody can take another's.",
    ),
    Code("F003", "Cell is full", "A cell limits how many tenants one failure can affect; this one is full."),
    Code("F004", "Cell of another tier", "The cell is built for a different tier than the tenant's."),
    Code(
        "F005",
        "Cell does not take the environment",
        "Production does not share a cell with staging; standby and decommissioned cells accept no instances.",
    ),
    Code(
        "F006",
        "Outside the residency",
        "Data, or a copy of it, would be stored in a region that the tenant does not allow.",
    ),
    Code("F007", "Unknown region", "platform.yaml does not list this region."),
    Code("F008", "Dedicated cluster is shared", "A dedicated tenant's cluster would host another customer."),
    Code("F009", "Cell mixes environments", "Production and other environments share a cell."),
    Code("F010", "DR partners do not match", "DR partners must name each other and be in partner regions."),
    Code("F011", "Classification does not fit the tier", "The tier does not accept data or obligations of this class."),
    Code("F012", "Not offered by the tier", "The tier does not offer this environment or this channel."),
    Code("F013", "Outside the tier's limits", "Users, hosts, integrations or overrides exceed what the tier allows."),
    Code(
        "F014",
        "Maintenance window not allowed",
        "The tier requires the platform's window or one of its slots, or windows overlap.",
    ),
    Code("F015", "Backups collide with the window", "No backup time avoids the maintenance windows."),
    Code("F016", "Clusters' address ranges overlap", "Peered clusters need distinct addresses."),
    Code(
        "F017",
        "Outside addresses are not allowed",
        "Ranges of an integration, of administrators, of object storage or of a private link are too wide, or would allow "
        "access to instance metadata, nodes or a cluster.",
    ),
    Code(
        "F018",
        "Not on the private link",
        "A private integration is outside what the cluster's private link reaches.",
    ),
    Code(
        "F019",
        "PostgreSQL version does not fit",
        "The release does not support the cell's version, or the platform has no image for it.",
    ),
    Code("F020", "Not tested in staging", "A release must run in staging before it reaches production."),
    Code(
        "F021",
        "Exception is not valid",
        "It names an unknown tenant or control, or was approved by its owner.",
    ),
    Code(
        "F022",
        "Tier lacks a required control",
        "The tenant's classification requires a control that its tier does not provide.",
    ),
    Code(
        "F023",
        "Unused exception",
        "The tenant complies with the control, or another exception allows the breach already.",
    ),
    Code(
        "F024",
        "Policy trusts an unknown account, or a label",
        "A policy exempts an account that is neither an operator of platform.yaml nor a controller of Kubernetes, or objects by "
        "what they say of themselves.",
    ),
    Code("F025", "Component is below its floor", "A platform component has a known fault that a later version fixed."),
    Code(
        "F026",
        "Release can't reach its object store",
        "None of its storage modules reads the store's section in odoo.conf, so attachments would go to another address.",
    ),
    Code(
        "F027",
        "Secret store's settings don't fit its provider",
        "A setting that the provider needs is missing, one that it never reads is given, or two namespaces share an identity.",
    ),
    Code(
        "F028",
        "Exception has expired",
        "The control is in force again, and the tenant breaches it. Other tenants are rendered and checked as before.",
    ),
    Code("F029", "Exception ends soon", "It ends within 30 days; then the tenant fails."),
    Code(
        "F030",
        "Classification contradicts the file",
        "The tenant is classified as not integrated, and declares integrations.",
    ),
    Code(
        "F031",
        "Placeholder is left",
        "A domain, address or digest of the example stands where this fleet needs its own. 'example: true' in platform.yaml says that the fleet is one.",
    ),
    Code(
        "F032",
        "User namespaces are missing",
        "A tier requires them of a cluster that doesn't declare them, or a cluster declares them below Kubernetes 1.33.",
    ),
    Code(
        "F033",
        "Firewall is missing",
        "A tier promises a web application firewall, and the edge of a cell's cluster has none.",
    ),
    Code(
        "F034",
        "Node pool of another purpose",
        "A cell's Pods would be on nodes for databases or for the platform itself, or its databases on nodes for Pods.",
    ),
    Code(
        "F035",
        "Release does not load a module",
        "Odoo itself leaves the session cookie unguarded and the first attachments in a Pod; server-wide add-ons change that.",
    ),
    Code(
        "F040",
        "Tenant does not follow the channel",
        "A channel's rollout or canaries name a tenant of another channel.",
    ),
    Code(
        "F041",
        "Move contradicts itself",
        "A tenant's 'migration' and its tier and cells do not agree, steps are not recorded, or the move is one that tenantry can't make.",
    ),
    Code(
        "F042",
        "Restore contradicts itself",
        "Generations do not rise, the moment is one that no backup reaches, or the place has no PostgreSQL of its own to restore.",
    ),
    Code(
        "F043",
        "Chart can't install its component",
        "A component that Argo CD installs has no version or image, or its chart is another version than the component, which upstream numbers alike.",
    ),
    Code(
        "F050", "Alerts reach nobody", "platform.yaml names no receivers, so what is rendered rings in Prometheus only."
    ),
    Code(
        "F051",
        "Alert route does not fit",
        "A route names a receiver that is not there or wakes nobody, is there twice, or a tier's route has no entry.",
    ),
    Code(
        "F052",
        "Generations are no neighbours",
        "Two generations of a credential that work at once follow each other.",
    ),
    Code(
        "F045",
        "Failover contradicts itself",
        "The instance has no replica at a DR site, the place is none of its two, generations do not rise, or something else is under way.",
    ),
    Code(
        "F046",
        "Support ends",
        "Upstream's support for a version of Odoo, PostgreSQL or Kubernetes that the fleet runs is over, or ends within 90 days.",
    ),
    Code(
        "F047",
        "Release does not fit its image",
        "The image contract that a release names lacks one of its modules, or is of another Odoo series or user.",
    ),
    Code(
        "T001",
        "Template can't be rendered",
        "A template uses an undefined value, or writes one without a filter.",
    ),
    Code("T002", "Template makes no object", "The template's output is not a single Kubernetes object."),
    Code("K001", "Kustomize refuses", "The overlay can't be built."),
    Code("K002", "Object made twice", "Two templates produce the same object."),
    Code(
        "G001",
        "Unmanaged file",
        "A generated tree contains a file that tenantry did not write; nothing is changed until you move it.",
    ),
    Code("G002", "Generated file is missing", "The generated trees are out of date."),
    Code("G003", "Generated file differs", "The generated trees are out of date, or somebody edited a generated file."),
    Code("G004", "Stale generated file", "The inputs no longer produce this file."),
    Code(
        "G005",
        "Data would be deleted",
        "A tenant or cell would lose its namespace without having been offboarded or decommissioned.",
    ),
    Code(
        "G006",
        "Interrupted write",
        "A run was stopped while moving files into place; the next 'tenantry render' completes it.",
    ),
    Code(
        "G007",
        "Unexpected work folder",
        "'.tenantry' is a link, or contains files that no run left there. Runs keep their state outside the working tree; "
        "anything here was committed or created manually, and is ignored.",
    ),
    Code(
        "B001",
        "Data would be removed",
        "An instance, cell or cluster that is there before the change is gone after it, although it was not offboarding (or "
        "decommissioned) before, its day has not come, nobody approved, or nobody recorded that its data was erased.",
    ),
    Code("B002", "Many tenants would leave", "So many at once are a mistake, even if each of them may leave."),
    Code(
        "B003",
        "Data would be left behind",
        "The instance would be connected to another database, bucket or backup than the one that holds its data.",
    ),
    Code(
        "B004",
        "Version would go back or skip",
        "An older Odoo or PostgreSQL can't read what a later one wrote, and Odoo is upgraded one major at a time.",
    ),
    Code("B005", "Module would be taken away", "Databases have a module installed that the new release lacks."),
    Code("B006", "Volume would shrink", "Volumes only grow; the operator refuses, or the data has to be moved."),
    Code("B007", "Can't change in place", "A running cluster, or an object, keeps this field for its lifetime."),
    Code("B008", "Takes nothing new", "The channel or the cell is closed to newcomers; those who are there stay."),
    Code(
        "B009",
        "Could not be compared",
        "A file was invalid in the revision that the change is compared with, so no guard could look at it.",
    ),
    Code(
        "B011",
        "Backups would be deleted",
        "Backups are kept or locked for less long, so older ones are deleted, or can be.",
    ),
    Code(
        "B012",
        "Step of a move is left out",
        "A move goes one step a change, in order, or back to its beginning; the source leaves only after its day.",
    ),
    Code(
        "B013",
        "Step of a restore is left out",
        "A restore goes one step a change, in order. What is restored, from where and to which moment, never changes, and a generation is never used twice.",
    ),
    Code(
        "B014",
        "Erased too early",
        "A tenant's data is erased only when the approval was merged before, unchanged, and its day is over. Records of what was erased are never taken back, and neither is the step.",
    ),
    Code(
        "B015",
        "Step of a failover is left out",
        "A failover goes one step a change, in order. A place that is demoted is promoted again only with the token of the other, and what was promoted stays said.",
    ),
    Code(
        "B016",
        "Credential changes at once",
        "A generation is used before it works, or stops working while Pods have it. Both work in between, one step a change.",
    ),
    Code(
        "B010",
        "Release and infrastructure in one change",
        "Both are applied in the same window; if something fails, neither can be taken back without the other.",
    ),
    Code(
        "G020",
        "Merge conflict is not resolved",
        "A merge left a file to a person. Generated trees follow from it, so they are rendered once it is resolved.",
    ),
    Code(
        "G021",
        "Change outside the commit",
        "A file has changes that `publish` was not asked to commit, or is hidden from git. What is rendered may depend on "
        "it, so the commit would not match its inputs.",
    ),
    Code(
        "G022",
        "Branch is not up to date",
        "The remote branch has commits that the local one lacks. Publishing would start from outdated inputs.",
    ),
    Code(
        "G023",
        "Changed on the remote too",
        "Somebody else changed the same lines of an input, or removed it. A person must decide what is right.",
    ),
    Code("V001", "File can't be parsed", "The text is not YAML or JSON, repeats a key, or is not UTF-8."),
    Code("V002", "Not a Kubernetes object", "A document is not a mapping, or lacks apiVersion, kind or name."),
    Code("V003", "File is too large", "Files over 16 MiB are not checked; no cluster accepts an object that large."),
    Code("V004", "File can't be read", "It is a link, a special file or unreadable, so it could not be checked."),
    Code(
        "V010", "Unknown kind", "Neither Kubernetes nor a known operator defines this kind, so it could not be checked."
    ),
    Code("V011", "Version not served", "The cluster's Kubernetes, or the operator, does not serve this apiVersion."),
    Code("V012", "Deprecated version", "The apiVersion is still served, but will be removed."),
    Code("V014", "Duplicate object", "Two files define the same object; which one a cluster keeps is left to chance."),
    Code("V020", "Unknown field", "The kind has no such field; a strict API server rejects it, others drop it."),
    Code(
        "V021",
        "Rejected by the schema",
        "A wrong type, a value outside an enumeration, pattern or limit, or a missing field.",
    ),
    Code("V022", "Rejected by a rule of the schema", "A CEL rule of the CustomResourceDefinition does not hold."),
    Code("V023", "Expression does not parse", "A cron expression, a PromQL expression or a routing rule."),
    Code(
        "V024",
        "Could not be checked",
        "The object, file or definition exceeds a limit on size, depth, defaults, problems or time, or its checker "
        "failed. It may be wrong.",
    ),
    Code("V030", "Invalid name", "A name, label, key or port name breaks the rules of Kubernetes."),
    Code("V031", "Namespace on a cluster-scoped object", "A cluster-scoped object has a namespace."),
    Code("V032", "Too large or incomplete", "Data or annotations exceed the limit, or a Secret lacks required keys."),
    Code("V033", "Invalid quantity", "An amount can't be parsed, is negative, or exceeds its limit."),
    Code(
        "V034",
        "Credentials in an address",
        "A field contains a URL with user information, which everyone can see who can read the object or the repository.",
    ),
    Code("V041", "Bad schedule or time zone", "It would run at another time than intended, or never."),
    Code("V050", "The API server rejects", "A rule of the API server's validation that no schema expresses."),
    Code(
        "V052",
        "Admission lets no Pod in",
        "Pod Security, a ResourceQuota or a LimitRange of the namespace rejects the Pods.",
    ),
    Code(
        "V053",
        "Drain, rollout or scaling gets in the way",
        "It works until a node is drained, a release comes or the load changes.",
    ),
    Code(
        "V054",
        "Two owners of one thing",
        "Two objects manage the same Secret, database, role or Pods, and undo each other's work.",
    ),
    Code(
        "V055",
        "Network policy cuts something off",
        "Policies leave no way to DNS, to the operator or to the API server.",
    ),
    Code("V056", "Backup fails or vanishes", "The backup can't be made, or is gone before the next one is there."),
    Code("V057", "Guard is off", "What should keep requests out has no effect, or lets everyone in."),
    Code(
        "V058", "Setting without effect", "It is accepted, and does nothing: what it was written for does not happen."
    ),
    Code("V060", "Dangling reference", "The referenced object, volume or entry does not exist."),
    Code("V061", "Key is missing", "The Secret, ConfigMap or catalog exists, but lacks the referenced key."),
    Code("V062", "Port is missing", "The Pods or the Service exist, but have no such port."),
    Code("V063", "Selector matches nothing", "No Pod or Service has these labels."),
    Code("V066", "Unused ConfigMap", "Nothing refers to this ConfigMap."),
    Code("V067", "Reference could not be checked", "The referenced object may exist, but not in this tree."),
    Code(
        "V070",
        "Policy violated",
        "A Kyverno policy in policies/ rejects the object; the finding names the control that the policy enforces.",
    ),
    Code("V071", "Policy gave no verdict", "A policy failed on the object, or skipped it without an exception."),
    Code(
        "V072", "Policy can't be used", "Kyverno can't compile the policy or the exception, so it would have no effect."
    ),
    Code("V073", "Policy matches nothing", "Objects of the policy's kinds exist, but it matched none of them."),
    Code(
        "V074",
        "Cluster is missing",
        "The tree has no objects for a cluster of the fleet, so nothing could be proved for it.",
    ),
    Code("V075", "Belongs to no cluster", "It is next to the cluster folders, so it is unclear how to check it."),
    Code(
        "V076",
        "Routes contend",
        "Two routes take the same requests and lead to different Services; only one of them answers.",
    ),
    Code("V077", "Certificate is for other hosts", "A route names a certificate that is not issued for its host."),
)

CODES_BY_ID = {code.id: code for code in _CODES}
"""All codes; those of an operator are declared by its module in `verify/operators/`."""


def declare(*codes: Code) -> None:
    """Add the codes of a module; raises ValueError for an id that is taken."""
    for code in codes:
        if code.id in CODES_BY_ID:
            raise ValueError(f"the finding code {code.id} is declared twice")
        CODES_BY_ID[code.id] = code


def in_order() -> list[Code]:
    """By stage, in the order of the flow, and number."""
    return sorted(CODES_BY_ID.values(), key=lambda code: ("SRFTKGBV".index(code.id[0]), code.id))
