package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// sharedFiles are a base with a native object, a custom one and a component that patches both.
var sharedFiles = map[string]string{
	"base/app/kustomization.yaml": "resources: [deployment.yaml, route.yaml]\ncomponents: [../../parts/quiet]\n",
	"base/app/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: odoo-web}
spec:
  replicas: 1
  selector: {matchLabels: {app: odoo}}
  template:
    metadata: {labels: {app: odoo}}
    spec:
      containers:
        - {name: odoo, image: odoo, env: [{name: ODOO_RC, value: /etc/odoo}, {name: DATABASE}], ports: [{name: http, containerPort: 8069}]}
        - {name: pgbouncer, image: pgbouncer}
`,
	"base/app/route.yaml": "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: rate-limit}\nspec: {rateLimit: {average: 20, burst: 60}}\n",
	"parts/quiet/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: odoo-web}
      spec: {template: {spec: {containers: [{name: odoo, resources: {requests: {memory: 300Mi}}}]}}}
`,
}

// filledOverlay is an overlay with values in the places where a fleet's overlays differ.
func filledOverlay(namespace, tenant, database, text, host, memory, owner string, replicas, burst string) map[string]string {
	indented := strings.ReplaceAll(text, "\n", "\n    ")
	return map[string]string{
		"overlays/a/kustomization.yaml": fmt.Sprintf(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: %s
labels:
  - includeTemplates: true
    pairs: {tenantry.io/tenant: %q, tenantry.io/environment: production}
resources: [../../base/app, configmap.yaml, binding.yaml]
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: odoo-web}
      spec:
        replicas: %s
        template:
          spec:
            containers:
              - name: odoo
                env: [{name: ODOO_RC}, {name: DATABASE, value: %q}]
                resources: {limits: {memory: %s}}
  - target: {group: traefik.io, version: v1alpha1, kind: Middleware, name: rate-limit}
    patch: |-
      - {op: replace, path: /spec/rateLimit/burst, value: %s}
`, namespace, tenant, replicas, database, memory, burst),
		"overlays/a/configmap.yaml": fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: odoo-config\n  annotations: {host: %q}\ndata:\n  options: |-\n    %s\n", host, indented),
		"overlays/a/binding.yaml":   fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: %q}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects: [{kind: ServiceAccount, name: %q}, {kind: Group, name: %q}]\n", owner, owner, tenant),
	}
}

func storedKustomize(t *testing.T) *kustomize {
	t.Helper()
	k := newKustomize()
	storeShared(t, k)
	k.warm.Do(warmUp)
	return k
}

func storeShared(t *testing.T, k *kustomize) {
	t.Helper()
	params, err := json.Marshal(map[string]any{"files": sharedFiles})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.store(context.Background(), params); err != nil {
		t.Fatal(err)
	}
}

func overlayOf(k *kustomize, files map[string]string) (*overlay, *shapes) {
	uses := []string{"base/app", "parts/quiet"}
	shared, known := k.folders(uses)
	return &overlay{"overlays/a", files, uses, shared}, known
}

// isTrusted reports whether the overlay's shape is known, so that Kustomize does not run.
func isTrusted(known *shapes, o *overlay) bool {
	marked, err := markOverlay(o)
	return err == nil && known.of(marked.key).ready() != nil
}

// sameObjects fails unless the overlay, built by its shape if that is known, becomes what Kustomize makes of it.
func sameObjects(t *testing.T, what string, o *overlay, known *shapes, judge judging) {
	t.Helper()
	want, wantErr := o.build(context.Background(), judge)
	got, gotErr := known.build(context.Background(), o, judge)
	if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || len(got) != len(want) {
		t.Fatalf("%s: got %d objects (%v), want %d (%v)", what, len(got), gotErr, len(want), wantErr)
	}
	for i := range want {
		if !got[i].equal(want[i]) || (got[i].Verdict == nil) != (want[i].Verdict == nil) {
			t.Fatalf("%s: got\n%#v\n%s\nwant\n%#v\n%s", what, got[i].Value, got[i].YAML, want[i].Value, want[i].YAML)
		}
	}
}

func TestAnOverlayOfAKnownShapeBecomesWhatKustomizeMakesOfIt(t *testing.T) {
	k := storedKustomize(t)
	texts := []string{"[options]\ndb_name = a\n\n; last", "one line", "a\n\n\nb\n  c", "it's: \"quoted\" # and more", "ünïcode\tand tabs\nx", strings.Repeat("long words ", 60) + "\nend"}
	for i, text := range texts {
		name := fmt.Sprintf("tenant%c", 'a'+i)
		o, known := overlayOf(k, filledOverlay(name+"-production", name, name+"_db", text, name+".example", fmt.Sprintf("%dMi", 700+i), "support", fmt.Sprint(3+i), fmt.Sprint(90+i)))
		for range 3 {
			sameObjects(t, text, o, known, k.judged)
		}
		if !isTrusted(known, o) {
			t.Errorf("%q: Kustomize runs for each overlay", text)
		}
	}
	if len(k.shapes.known) != 1 {
		t.Errorf("overlays that differ in values alone have %d shapes", len(k.shapes.known))
	}
}

// awkward values mean something to YAML, to Kustomize or to the shared files.
var awkward = []string{
	"acme", "globex", "acme-production", "odoo", "odoo-web", "odoo-config", "default", "rate-limit", "DATABASE", "production", "pgbouncer", "delete",
	"yes", "null", "~", "1e3", "0x1F", "017", "12:30:00", "2026-01-01", "8069", "300Mi", "-", "a: b", "a #b", "$patch", "", " a", "b ", "tenantry-marker-000001", "7770000001",
}

func TestAwkwardValuesBecomeWhatKustomizeMakesOfThem(t *testing.T) {
	k := storedKustomize(t)
	chance := rand.New(rand.NewPCG(1, 2))
	pick := func(usual string, from ...string) string {
		if chance.IntN(8) > 0 {
			return fmt.Sprintf(usual, chance.IntN(1000)+100)
		}
		return from[chance.IntN(len(from))]
	}
	trusted := 0
	for range 250 {
		files := filledOverlay(
			pick("n%d-production", "acme-production", "odoo", "default"), pick("tenant-%d", awkward...), pick("db_%d", awkward...),
			pick("a\nb: %d", "a\nb\n", "odoo", "acme", "x: 1\ny"), pick("erp%d.example", awkward...), pick("%dMi", "300Mi", "1Gi", "yes", "0", "null", "acme"),
			pick("group-%d", "default", "support", "odoo-web", "acme"), pick("%d", "1", "17", "017", "null", "8069"), pick("%d", "60", "1.5", "null", `"90"`, "{a: acme}"),
		)
		o, known := overlayOf(k, files)
		if isTrusted(known, o) {
			trusted++
		}
		sameObjects(t, fmt.Sprint(files), o, known, k.judged)
	}
	if trusted < 40 {
		t.Errorf("only %d of 250 overlays had a shape that was known", trusted)
	}
}

func TestWhatMayNotTreatAllValuesAlikeHasNoShape(t *testing.T) {
	plainFiles := filledOverlay("a-production", "a", "a_db", "x", "a.example", "700Mi", "support", "3", "90")
	for what, change := range map[string][2]string{
		"a generator":                 {"patches:", "configMapGenerator: [{name: a, literals: [b=c]}]\npatches:"},
		"a selector by expression":    {"name: rate-limit}", "name: rate.*}"},
		"a selector by label":         {"name: rate-limit}", "labelSelector: app=odoo}"},
		"an anchor":                   {"namespace: a-production", "namespace: &n a-production"},
		"a name with a comma":         {"namespace: a-production", "namespace: a,production"},
		"a patch in a file":           {"patches:", "patches:\n  - path: deployment.yaml"},
		"an instruction to Kustomize": {"metadata: {name: odoo-web}", "metadata: {name: odoo-web, annotations: {config.kubernetes.io/local-config: \"true\"}}"},
		"a value like a marker":       {"value: \"a_db\"", "value: tenantry-marker-000001"},
	} {
		files := map[string]string{}
		for name, text := range plainFiles {
			files[name] = text
		}
		name := "overlays/a/kustomization.yaml"
		if files[name] = strings.Replace(files[name], change[0], change[1], 1); files[name] == plainFiles[name] {
			t.Fatalf("%s: nothing was changed", what)
		}
		o, _ := overlayOf(storedKustomize(t), files)
		if _, err := markOverlay(o); err == nil {
			t.Errorf("%s: the overlay has a shape", what)
		}
	}
}

func TestStoringOtherFilesForgetsTheirShapes(t *testing.T) {
	k := storedKustomize(t)
	o, known := overlayOf(k, filledOverlay("a-production", "a", "a_db", "x", "a.example", "700Mi", "support", "3", "90"))
	for range 2 {
		if _, err := known.build(context.Background(), o, k.judged); err != nil {
			t.Fatal(err)
		}
	}
	storeShared(t, k)
	if !isTrusted(known, o) || isTrusted(k.shapes, o) {
		t.Error("a shape outlived the files that it was learned with, or was not known before")
	}
}

func TestEntryKeysAreThoseOfKustomizesSchemas(t *testing.T) {
	warmUp()
	found := map[string]bool{}
	for _, lists := range kustomizeMergeKeys().Lists {
		for _, keys := range lists {
			for key := range strings.FieldsSeq(keys) {
				found[key] = true
			}
		}
	}
	if !maps.Equal(found, entryKeys) {
		t.Errorf("Kustomize tells entries apart by %v, not by %v", found, entryKeys)
	}
}
