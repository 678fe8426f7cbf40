package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const goodSpec = `{"type":"object","properties":{"size":{"type":"integer"}}}`

func TestABrokenDefinitionIsToldOfAloneAndTheOthersJudge(t *testing.T) {
	other := definitionOf("Other", goodSpec)
	for name, c := range map[string]struct{ from, to, want string }{
		"versions are a text":      {`"versions":[`, `"versions":"no","x":[`, "spec schema: the definition can't be read"},
		"a type of no sort":        {`"type":"integer"`, `"type":["integer"]`, "can't be read"},
		"spec is a list":           {`"spec":{"group"`, `"spec":[],"x":{"group"`, "can't be read"},
		"no structural schema":     {`"type":"integer"`, `"description":"x"`, "properties[size].type schema: Required value"},
		"a reference":              {`"type":"integer"`, `"$ref":"#/x"`, "schema"},
		"a pattern of no language": {`"type":"integer"`, `"type":"string","pattern":"("`, "missing closing"},
		"a default of its own":     {`"type":"integer"`, `"type":"integer","default":"x"`, "properties[size].default schema: Invalid value"},
		"a rule of no language":    {`"type":"integer"`, `"type":"integer","x-kubernetes-validations":[{"rule":"self +"}]`, "x-kubernetes-validations[0].rule schema"},
		"a name of its own":        {`"name":"things.a.example"`, `"name":"x"`, "metadata.name schema"},
		"two versions of a name":   {`"versions":[`, `"versions":[{"name":"v1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}},`, "Duplicate value"},
		"nothing is stored":        {`"storage":true`, `"storage":false`, "exactly one version"},
		"no schema":                {`"schema":{`, `"scheme":{`, "schemas are required"},
		"versions of nothing":      {`"versions":[`, `"versions":[null,`, "schemas are required"},
		"a scope of its own":       {"Namespaced", "Elsewhere", "spec.scope schema: Unsupported value"},
		"a group without a dot":    {`"group":"a.example"`, `"group":"a"`, "at least one dot"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := json.RawMessage(strings.Replace(string(definitionOf("Thing", goodSpec)), c.from, c.to, 1))
			answers := talk(t, map[string]any{"id": 1, "verb": "define", "params": map[string]any{"definitions": []json.RawMessage{broken, other}}})
			told := answers[1].Result.(map[string]any)["definitions"].([]any)
			if got := problems(map[string]any{"syntax": told[0].(map[string]any)["problems"]}); !strings.Contains(got, c.want) {
				t.Errorf("told %q, want %q", got, c.want)
			}
			if got := told[1].(map[string]any)["problems"].([]any); len(got) > 0 {
				t.Errorf("of the other: %v", got)
			}
			if got := judged(t, "Other", `{"size":"x"}`, broken, other); !strings.Contains(got, "spec.size schema") {
				t.Errorf("the other's objects: %q", got)
			}
		})
	}
}

func TestObjectsOfABrokenDefinitionAreNotCalledGood(t *testing.T) {
	broken := definitionOf("Thing", `{"type":"object","properties":{"size":{"pattern":"("}}}`)
	if told := judged(t, "Thing", `{"size":1}`, broken); told != "kind unjudged: "+brokenDefinition+"\n" {
		t.Errorf("told %q", told)
	}
}

func TestOneKindOfTwoDefinitionsIsNotJudgedByChance(t *testing.T) {
	one := definitionOf("Thing", goodSpec)
	two := json.RawMessage(strings.ReplaceAll(string(one), "things", "thingies"))
	for _, order := range [][]json.RawMessage{{one, two}, {two, one}} {
		if told := judged(t, "Thing", `{"size":1}`, order...); told != "kind unjudged: "+brokenDefinition+"\n" {
			t.Errorf("told %q", told)
		}
	}
}

func TestWhatAPanicEndsIsAProblemOfOneObject(t *testing.T) {
	found := guarded(func() []problem { panic("no luck") })
	if len(found) != 1 || found[0].Rule != unjudged || !strings.Contains(found[0].Message, "no luck") {
		t.Errorf("told %v", found)
	}
}

func TestTheDefinitionsThatWeCarryAreAccepted(t *testing.T) {
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
			versions, err := json.Marshal(d.Versions)
			if err != nil {
				t.Fatal(err)
			}
			plural := strings.ToLower(kind) + "s"
			text := fmt.Sprintf(`{"metadata":{"name":"%s.%s"},"spec":{"group":%q,"scope":%q,"names":{"kind":%q,"plural":%q},"versions":%s}}`,
				plural, group, group, d.Scope, kind, plural, versions)
			for _, p := range definitionProblems(context.Background(), json.RawMessage(text)) {
				if !strings.Contains(p.Message, "exactly one version") && !strings.Contains(p.Message, "schemas are required") {
					t.Errorf("%s %s: %v", group, kind, p)
				}
			}
		}
	}
}
