package main

import (
	"context"
	"strings"
	"testing"
)

const cluster = `{"apiVersion":"postgresql.cnpg.io/v1","kind":"Cluster","metadata":{"name":"a"},"spec":{"instances":3,"storage":{"size":"1Gi"}%s}}`

// parseText gives the only object of a text.
func parseText(t *testing.T, text string) map[string]any {
	t.Helper()
	answers := talk(t, map[string]any{"id": 1, "verb": "parse", "params": map[string]any{"text": text}})
	result := answers[1].Result.(map[string]any)
	objects := result["objects"].([]any)
	if len(objects) != 1 {
		t.Fatalf("%d objects, problems %v", len(objects), result["problems"])
	}
	return objects[0].(map[string]any)
}

func problems(object map[string]any) string {
	var told strings.Builder
	for _, list := range []any{object["syntax"], verdictProblems(object)} {
		found, _ := list.([]any)
		for _, p := range found {
			fields := p.(map[string]any)
			told.WriteString(fields["path"].(string) + " " + fields["rule"].(string) + ": " + fields["message"].(string) + "\n")
		}
	}
	return told.String()
}

func verdictProblems(object map[string]any) any {
	judged, _ := object["verdict"].(map[string]any)
	return judged["problems"]
}

func TestCustomResourcesAreJudgedAsByTheAPIServer(t *testing.T) {
	cases := map[string]struct{ more, told string }{
		"good":          {``, ""},
		"unknown field": {`,"instanses":1`, "spec.instanses unknown"},
		"wrong type":    {`,"maxSyncReplicas":"x"`, "spec.maxSyncReplicas schema"},
		"enumeration":   {`,"primaryUpdateMethod":"x"`, "spec.primaryUpdateMethod schema"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			told := problems(parseText(t, strings.Replace(cluster, "%s", c.more, 1)))
			if (c.told == "") != (told == "") || !strings.Contains(told, c.told) {
				t.Errorf("told %q, want %q", told, c.told)
			}
		})
	}
}

func TestJudgingDoesNotChangeTheObject(t *testing.T) {
	object := parseText(t, strings.Replace(cluster, "%s", `,"unknown":1`, 1))
	spec := object["value"].(map[string]any)["spec"].(map[string]any)
	if _, kept := spec["unknown"]; !kept || spec["logLevel"] != nil {
		t.Errorf("the object was pruned or defaulted: %v", spec)
	}
}

func TestEverySchemaCompiles(t *testing.T) {
	entries, err := crdFiles.ReadDir("crds/data")
	if err != nil {
		t.Fatal(err)
	}
	c := newCatalog()
	for _, entry := range entries {
		group := strings.TrimSuffix(entry.Name(), ".json")
		if _, err := c.find(group, ""); err != nil {
			t.Fatal(err)
		}
		for kind, d := range c.groups[group] {
			for _, v := range d.Versions {
				if !v.Served || len(v.Schema.OpenAPI) == 0 {
					continue
				}
				if _, err := c.judge(context.Background(), group, v.Name, kind, map[string]any{}, allowanceForOne()); err != nil {
					t.Errorf("%s/%s %s: %v", group, v.Name, kind, err)
				}
			}
		}
	}
}

func TestRoutingRules(t *testing.T) {
	cases := map[string]string{
		"Host(`a.example`) && (PathPrefix(`/x`) || !Method(`GET`))": "",
		"Header(`a`, `b`) && Query(`q`)":                            "",
		"Host(`a`, `b`)":                                            "takes 1 value",
		"Hots(`a`)":                                                 "no rule",
		"Path(`x`)":                                                 "does not start with",
		"PathRegexp(`(`)":                                           "missing closing",
		"ClientIP(`10.0.0.0/99`)":                                   "neither an address",
		"":                                                          "no rule",
	}
	for text, want := range cases {
		err := httpRule(text)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestCronWithSecondsWantsSixFields(t *testing.T) {
	for text, good := range map[string]bool{"0 30 2 * * *": true, "30 2 * * *": false, "@daily": true, "x": false} {
		if err := cronWithSeconds(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTextIsReadAsKubectlDoes(t *testing.T) {
	object := parseText(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: on, b: \"on\", c: 0x10, d: 1e3}\n")
	data := object["value"].(map[string]any)["data"].(map[string]any)
	if data["a"] != true || data["b"] != "on" || data["c"] != 16.0 || data["d"] != 1000.0 {
		t.Errorf("read %v", data)
	}
}

func TestWhatIsJudgedAlreadyIsOnlyRead(t *testing.T) {
	text := "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: a}\nspec: {unheard: 1}\n"
	for _, judged := range []bool{false, true} {
		answers := talk(t, map[string]any{"id": 1, "verb": "parse_all", "params": map[string]any{"texts": []string{text}, "judged": judged}})
		file := answers[1].Result.(map[string]any)["files"].([]any)[0].(map[string]any)
		object := file["objects"].([]any)[0].(map[string]any)
		if _, told := object["verdict"]; told == judged {
			t.Errorf("judged %v: verdict %v", judged, object["verdict"])
		}
		if object["name"] != "a" {
			t.Errorf("read as %v", object)
		}
	}
}
