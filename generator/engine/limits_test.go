package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/runtime"
)

const anyDefinition = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"%[1]ss.a.example"},
"spec":{"group":"a.example","scope":"Namespaced","names":{"kind":"%[2]s","plural":"%[1]ss"},
"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":%[3]s}}}}]}}`

func definitionOf(kind, spec string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(anyDefinition, strings.ToLower(kind), kind, spec))
}

// judged gives what is told of an object of the kind once the definitions are known.
func judged(t *testing.T, kind, spec string, definitions ...json.RawMessage) string {
	t.Helper()
	text := fmt.Sprintf(`{"apiVersion":"a.example/v1","kind":%q,"metadata":{"name":"a"},"spec":%s}`, kind, spec)
	answers := talk(t,
		map[string]any{"id": 1, "verb": "define", "params": map[string]any{"definitions": definitions}},
		map[string]any{"id": 2, "verb": "parse", "params": map[string]any{"text": text}})
	if answers[1].Error != nil || answers[2].Error != nil {
		t.Fatalf("%v, %v", answers[1].Error, answers[2].Error)
	}
	return problems(answers[2].Result.(map[string]any)["objects"].([]any)[0].(map[string]any))
}

// bomb nests lists whose defaults are made for each entry of the list around them.
func bomb(depth int) string {
	if depth == 0 {
		return `{"type":"string","default":"x"}`
	}
	entries := strings.TrimSuffix(strings.Repeat("{},", 100), ",")
	return fmt.Sprintf(`{"type":"array","default":[%s],"items":{"type":"object","properties":{"a":%s}}}`, entries, bomb(depth-1))
}

func TestDefaultsThatBlowUpAreBounded(t *testing.T) {
	bombs := definitionOf("Thing", `{"type":"object","properties":{"a":`+bomb(6)+`}}`)
	if told := judged(t, "Thing", `{}`, bombs); told != " unjudged: "+tooMuchGrowth+"\n" {
		t.Errorf("told %q", told)
	}
	small := definitionOf("Thing", `{"type":"object","properties":{"a":`+bomb(1)+`}}`)
	if told := judged(t, "Thing", `{}`, small); told != "" {
		t.Errorf("told %q", told)
	}
}

func TestAManifoldOfSmallObjectsGetsNoMoreThanItsFileAllows(t *testing.T) {
	big := definitionOf("Thing", `{"type":"object","properties":{"a":{"type":"string","default":"`+strings.Repeat("x", 1<<20)+`"}}}`)
	text := strings.Repeat("---\napiVersion: a.example/v1\nkind: Thing\nmetadata: {name: a}\nspec: {}\n", 100)
	answers := talk(t,
		map[string]any{"id": 1, "verb": "define", "params": map[string]any{"definitions": []json.RawMessage{big}}},
		map[string]any{"id": 2, "verb": "parse", "params": map[string]any{"text": text}})
	told := map[string]int{}
	for _, o := range answers[2].Result.(map[string]any)["objects"].([]any) {
		told[problems(o.(map[string]any))]++
	}
	if told[""] != 4 || told[" unjudged: "+tooMuchGrowth+"\n"] != 96 {
		t.Errorf("told %v", told)
	}
}

func TestGrowthIsCountedAsDefaultingMakesIt(t *testing.T) {
	c := newCatalog()
	for group, kind := range map[string]string{"postgresql.cnpg.io": "Cluster", "monitoring.coreos.com": "Prometheus", "external-secrets.io": "ExternalSecret"} {
		d, err := c.find(group, kind)
		if err != nil || d == nil {
			t.Fatal(group, kind, err)
		}
		s, err := d.Versions[0].schemas()
		if err != nil {
			t.Fatal(err)
		}
		object := map[string]any{"spec": map[string]any{"data": []any{map[string]any{}, map[string]any{"remoteRef": map[string]any{}}}, "storage": map[string]any{}, "alerting": map[string]any{"alertmanagers": []any{map[string]any{}}}}}
		left := allowanceForOne()
		if !left.grows(object, s.structural) {
			t.Fatalf("%s does not fit", kind)
		}
		full := runtime.DeepCopyJSON(object)
		defaulting.Default(full, s.structural)
		before, _ := size(object)
		after, _ := size(full)
		if grown := maxObjectBytes - left.growth; grown != after-before || grown == 0 {
			t.Errorf("%s: counted %d, grew by %d", kind, grown, after-before)
		}
	}
}

func TestRulesThatCostTooMuchAreNotAsked(t *testing.T) {
	rule := `"x-kubernetes-validations":[{"rule":"self.a.all(x, self.a.all(y, self.a.all(z, x+y+z != 'abc')))"}]`
	heavy := definitionOf("Thing", `{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}},`+rule+`}`)
	list := `{"a":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 400), ",") + `]}`
	if told := judged(t, "Thing", list, heavy); !strings.Contains(told, "call cost exceeds limit") {
		t.Errorf("told %q", told)
	}
	s, err := compile(json.RawMessage(`{"type":"object","x-kubernetes-validations":[{"rule":"true"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	found := s.problems(context.Background(), map[string]any{"apiVersion": "v1", "kind": "A", "metadata": map[string]any{"name": "a"}}, &allowance{growth: 1 << 20})
	if len(found) != 1 || found[0].Message != tooMuchCEL {
		t.Errorf("told %v", found)
	}
}

func TestOneFieldThatBreaksEverywhereIsToldAFewTimes(t *testing.T) {
	found := []problem{}
	for i := range 5000 {
		found = append(found, problem{fmt.Sprintf("spec[%04d]", 4999-i), "schema", strings.Repeat("é", 1000)})
	}
	found = capped(found)
	if len(found) != maxProblems+1 || found[0].Path != "spec[0000]" || found[maxProblems].Message != "4900 more problems of the object are not listed" {
		t.Errorf("kept %d: %v", len(found), found[maxProblems])
	}
	if got := found[0].Message; len(got) > maxMessage+3 || strings.ToValidUTF8(got, "?") != got {
		t.Errorf("a text of %d bytes", len(got))
	}
}

func TestTextsThatGrowAreRefusedAtTheirPlace(t *testing.T) {
	alias := "a: &a [" + strings.Repeat("xxxxxxxxxx,", 100) + "]\n"
	for i := range 6 {
		alias += fmt.Sprintf("%c: &%c [%s]\n", 'b'+i, 'b'+i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", 'a'+i), 30), ","))
	}
	long := "x: &x " + strings.Repeat("y", 1<<16) + "\nz: [" + strings.Repeat("*x, ", 10000) + "]\n"
	key := strings.Repeat("k", 1000)
	for name, c := range map[string]struct{ text, want string }{
		"aliases":         {alias, "too many or too long"},
		"a long alias":    {long, "too many or too long"},
		"a loop":          {"a: &a [*a]\n", "nested deeper"},
		"deep":            {strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "nested deeper"},
		"very deep":       {strings.Repeat("[", 100000), "exceeded max depth"},
		"a long key":      {"{" + key + ": {" + key + ": {" + key + ": 1}}}", "keys of over"},
		"too many values": {"[" + strings.Repeat(",", maxSeparators) + "]", "too many values"},
		"a large object":  {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: " + strings.Repeat("x", maxObjectBytes) + "}\n", "no API server takes it"},
	} {
		read := readManifests(context.Background(), c.text, nil)
		if len(read.Objects) != 0 || len(read.Problems) != 1 || !strings.Contains(read.Problems[0].Message, c.want) {
			t.Errorf("%s: %d objects, problems %v", name, len(read.Objects), read.Problems)
		}
	}
}

func TestExpressionsThatParsersCanNotBearAreProblems(t *testing.T) {
	for text, want := range map[string]string{"TZ=": "nothing follows", "@every": "syntax", strings.Repeat("(", maxLanguageBytes+1): "is over 64 KiB long"} {
		object := map[string]any{"spec": map[string]any{"schedule": text}}
		found := syntaxProblems("velero.io", "Schedule", object)
		if told := fmt.Sprint(found); len(found) != 1 || !strings.Contains(told, want) {
			t.Errorf("%.20q: %v", text, told)
		}
	}
	for _, text := range []string{strings.Repeat("(", maxLanguageBytes), strings.Repeat("!", maxLanguageBytes), strings.Repeat("Host(`a`) && ", 5000) + "Host(`a`)"} {
		_ = httpRule(text) // comes back
		_ = promQL(text)
	}
}
