package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/openapi"
)

const mergeKeysFile = "../tenantry/render/merge_keys.json"

// mergeKeys is what the generator must know of Kustomize's strategic merge: the API groups that it has schemas for,
// and by kind the lists whose entries it merges, with the fields that tell the entries apart (none: plain values).
type mergeKeys struct {
	Groups []string                     `json:"groups"`
	Lists  map[string]map[string]string `json:"lists"`
}

// kustomizeMergeKeys reads Kustomize's own OpenAPI data. What every object has in its own metadata is left out.
func kustomizeMergeKeys() mergeKeys {
	found := mergeKeys{Lists: map[string]map[string]string{}}
	for _, definition := range openapi.Schema().Definitions {
		kinds, _ := definition.Extensions["x-kubernetes-group-version-kind"].([]any)
		metadata := definition.Properties["metadata"].Ref
		if len(kinds) != 1 || !strings.HasSuffix(metadata.String(), ".ObjectMeta") {
			continue
		}
		kind := kinds[0].(map[string]any)
		group := kind["group"].(string)
		found.Groups = append(found.Groups, group)
		lists := map[string]string{}
		for field := range definition.Properties {
			if field != "metadata" && field != "status" {
				root := openapi.ResourceSchema{Schema: &definition}
				collectMergeKeys(root.Field(field), field, lists)
			}
		}
		if len(lists) > 0 {
			name := fmt.Sprintf("%s/%s %s", group, kind["version"], kind["kind"])
			found.Lists[strings.TrimPrefix(name, "/")] = lists
		}
	}
	slices.Sort(found.Groups)
	found.Groups = slices.Compact(found.Groups)
	return found
}

func collectMergeKeys(at *openapi.ResourceSchema, path string, lists map[string]string) {
	if at == nil || strings.HasSuffix(path, ".openAPIV3Schema") { // schemas hold schemas without end
		return
	}
	if entry := at.Elements(); entry != nil {
		if strategy, keys := at.PatchStrategyAndKeyList(); slices.Contains(strings.Split(strategy, ","), "merge") {
			lists[path] = strings.Join(keys, " ")
		}
		at = entry
	}
	for field := range at.Schema.Properties {
		collectMergeKeys(at.Field(field), path+"."+field, lists)
	}
}

// WRITE_MERGE_KEYS=1 go test -run TestTheGeneratorKnowsKustomizesMergeKeys writes the file.
func TestTheGeneratorKnowsKustomizesMergeKeys(t *testing.T) {
	warmUp()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(kustomizeMergeKeys()); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("WRITE_MERGE_KEYS") != "" {
		if err := os.WriteFile(mergeKeysFile, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(mergeKeysFile)
	if err != nil || !bytes.Equal(written, text.Bytes()) {
		t.Fatalf("%s is not what Kustomize's schemas say (%v); see the comment above this test", mergeKeysFile, err)
	}
}
