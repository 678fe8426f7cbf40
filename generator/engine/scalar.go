package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	kubernetesjson "k8s.io/apimachinery/pkg/util/json"
	kubernetesyaml "sigs.k8s.io/yaml"
)

// A scalar is read as kubectl and Argo CD read it, by YAML 1.1: `on` is true, 0600 is 384. What every reader takes for
// the same is read here; all else is given to their own parser (sigs.k8s.io/yaml).

// scalarValue gives a scalar as the API server would see it: text, boolean, nothing, int64 or float64.
func scalarValue(node *yaml.Node) (any, error) {
	if value, sure := agreed(node); sure {
		return value, nil
	}
	text, err := scalarJSON(node)
	if err != nil {
		return nil, err
	}
	var value any
	if err := kubernetesjson.Unmarshal([]byte(text), &value); err != nil {
		return nil, at(node, "the value can't be read")
	}
	return value, nil
}

// agreed reads a scalar that every reader takes for the same.
func agreed(node *yaml.Node) (value any, sure bool) {
	if node.Style&yaml.TaggedStyle != 0 {
		return nil, false
	}
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		return node.Value, node.Style != 0 || len(node.Value) > 3 || !words[strings.ToLower(node.Value)]
	case "!!null":
		return nil, true
	case "!!bool":
		return strings.EqualFold(node.Value, "true"), true
	case "!!int":
		if decimal(node.Value) {
			number, err := strconv.ParseInt(node.Value, 10, 64)
			return number, err == nil
		}
	}
	return nil, false
}

// decimal reports whether an integer is written as in JSON.
func decimal(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text == "0" || digits != "" && digits[0] != '0'
}

// scalarJSON gives the JSON of a scalar, as the parser of kubectl and Argo CD reads it. Errors do not quote the text:
// it may be a secret's.
func scalarJSON(node *yaml.Node) (string, error) {
	switch tag := node.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!binary", "!!merge", "!!null", "!!bool", "!!int", "!!float":
	default:
		return "", at(node, "a tag of this kind has no meaning in a manifest")
	}
	written, err := yaml.Marshal(node)
	if err != nil {
		return "", at(node, "the value can't be read")
	}
	text, err := kubernetesyaml.YAMLToJSON(written)
	switch tag := node.ShortTag(); {
	case err == nil:
		return string(text), nil
	case tag == "!!int" || tag == "!!float": // JSON has neither infinity nor NaN
		return "", at(node, "the value is no JSON number")
	default:
		return "", at(node, "the value is none of its tag")
	}
}

// keyText gives a key as the API server would see it: numbers and booleans become text.
func keyText(node *yaml.Node) (string, error) {
	if node.Kind != yaml.ScalarNode {
		return "", at(node, "a key is no plain word")
	}
	if node.ShortTag() == "!!merge" {
		return "", at(node, "merge keys (<<) are not part of YAML 1.2; write the values out")
	}
	value, sure := agreed(node)
	switch key := value.(type) {
	case string:
		if sure {
			return key, nil
		}
	case int64:
		if sure {
			return node.Value, nil
		}
	}
	pair := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{node, {Kind: yaml.ScalarNode, Tag: "!!null"}}}
	written, err := yaml.Marshal(pair)
	if err != nil {
		return "", at(node, "the value can't be read")
	}
	text, err := kubernetesyaml.YAMLToJSON(written)
	if err != nil {
		return "", at(node, "the key is no text")
	}
	read := map[string]any{}
	if err := json.Unmarshal(text, &read); err != nil {
		return "", at(node, "the key can't be read")
	}
	for key := range read {
		return key, nil
	}
	return "", at(node, "the key is no text")
}
