package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"tenantry.io/wire"
)

// answer is what the server says of one request.
type answer struct {
	ID     uint64
	Result any
	Error  *wire.Error
}

// talk runs a server over the given requests and returns its answers by id.
func talk(t *testing.T, requests ...map[string]any) map[uint64]answer {
	t.Helper()
	var in, out bytes.Buffer
	for _, r := range requests {
		body, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := wire.WriteFrame(&in, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := wire.Serve(&in, &out, verbs(), "store", "define"); err != nil {
		t.Fatal(err)
	}
	answers := map[uint64]answer{}
	for {
		body, err := wire.ReadFrame(&out)
		if err == io.EOF {
			return answers
		}
		if err != nil {
			t.Fatal(err)
		}
		var a answer
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		answers[a.ID] = a
	}
}

func TestStoredFilesServeLaterBuilds(t *testing.T) {
	answers := talk(t,
		map[string]any{"id": 1, "verb": "store", "params": map[string]any{"files": map[string]string{
			"base/kustomization.yaml": "resources: [a.yaml]\n",
			"base/a.yaml":             "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
		}}},
		map[string]any{"id": 2, "verb": "build", "params": map[string]any{"path": "over", "uses": []string{"base"}, "files": map[string]string{
			"over/kustomization.yaml": "namespace: acme-production\nresources: [../base]\n",
		}}},
	)
	text, _ := json.Marshal(answers[2].Result)
	if answers[2].Error != nil || !strings.Contains(string(text), `"namespace":"acme-production"`) {
		t.Fatalf("got %s, error %v", text, answers[2].Error)
	}
}

func TestAFailureBelongsToItsRequestAlone(t *testing.T) {
	answers := talk(t,
		map[string]any{"id": 1, "verb": "dance"},
		map[string]any{"id": 2, "verb": "build", "params": map[string]any{"path": "../up"}},
		map[string]any{"id": 3, "verb": "build", "params": map[string]any{"path": "nothing"}},
		map[string]any{"id": 4, "verb": "cancel", "params": map[string]any{"id": 99}},
		map[string]any{"id": 5, "verb": "hello"},
	)
	for id, kind := range map[uint64]string{1: "usage", 2: "usage", 3: "build"} {
		if answers[id].Error == nil || answers[id].Error.Kind != kind {
			t.Errorf("request %d: got %+v, want an error of kind %s", id, answers[id].Error, kind)
		}
	}
	if answers[4].Error != nil || answers[5].Error != nil {
		t.Errorf("got %+v and %+v, want no errors", answers[4].Error, answers[5].Error)
	}
}

func canonicalText(t *testing.T, text string) string {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	result, err := canonicalYAML(&node)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestCanonicalYAMLIsOneTextForOneValue(t *testing.T) {
	want := "apiVersion: v1\nkind: A\nmetadata:\n  name: x\n  namespace: n1\n  labels: {}\nspec:\n- 16\n- \"yes\"\n- null\n"
	for _, text := range []string{
		"kind: A\nspec: [16, 'yes', ~]\nmetadata: {labels: {}, namespace: n1, name: x}\napiVersion: v1\n",
		"# note\napiVersion: \"v1\"\nkind: A\nmetadata:\n  labels: {}\n  name: x\n  namespace: n1\nspec: [0x10, \"yes\", null]\n",
	} {
		if got := canonicalText(t, text); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestWordsThatReadersDifferOnAreQuoted(t *testing.T) {
	for _, word := range []string{"yes", "No", "on", "y", "N", "true", "null", "~", "=", "<<", "1e3", "0x1F", "017", "1_000", "12:30", "2026-01-01", ".inf", "", " a", "a: b", "a #b", "-", "{a}", "*a", "&a", "!a"} {
		node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: word, Style: yaml.DoubleQuotedStyle}
		text, err := canonicalYAML(node)
		if err != nil || !strings.HasPrefix(text, `"`) {
			t.Errorf("%q became %q, %v", word, text, err)
		}
	}
	for _, word := range []string{"10Gi", "500m", "acme-production", "apps/v1", "Odoo and its routes", "C.UTF-8"} {
		if text := canonicalText(t, word); text != word+"\n" {
			t.Errorf("%q became %q", word, text)
		}
	}
}
