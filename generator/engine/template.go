package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/resource"
)

// template is one object with places for values: its canonical YAML cut at the places, and its value.
type template struct {
	group, version, kind string

	texts  []string // one more than places
	places []spot
	value  any // map[string]any, []any, a scalar, or a placed value
}

// spot is where a value stands in the text; the lines of a long one are indented by so many spaces.
type spot struct{ number, indent int }

// placed is the number of the value that stands here.
type placed int

var markerText = regexp.MustCompile(fmt.Sprintf(`\b(?:%s(\d{6})|%d(\d{6}))\b`, markedText, markedNumber/maxMarkers))

// newTemplate finds the places of markers in what Kustomize made. An error says that one came out other than whole.
func newTemplate(r *resource.Resource, values []any) (template, error) {
	text, err := canonicalYAML(r.YNode())
	if err != nil {
		return template{}, err
	}
	content, err := value(r.YNode())
	if err != nil {
		return template{}, err
	}
	id := r.CurId()
	one := template{group: id.Group, version: id.Version, kind: id.Kind}
	reached := make([]int, len(values))
	if one.value, err = takeOut(content, values, reached); err != nil {
		return template{}, err
	}
	if err := one.cut(text, reached); err != nil {
		return template{}, err
	}
	return one, nil
}

// takeOut puts `placed` where markers are in a value, and counts the places of each.
func takeOut(content any, values []any, reached []int) (any, error) {
	switch content := content.(type) {
	case map[string]any:
		for key, field := range content {
			taken, err := takeOut(field, values, reached)
			if err != nil || markerText.MatchString(key) {
				return nil, errNoShape
			}
			content[key] = taken
		}
	case []any:
		for i, item := range content {
			taken, err := takeOut(item, values, reached)
			if err != nil {
				return nil, err
			}
			content[i] = taken
		}
	default:
		return takeOutScalar(content, values, reached)
	}
	return content, nil
}

func takeOutScalar(content any, values []any, reached []int) (any, error) {
	found := markerText.FindStringSubmatch(fmt.Sprint(content))
	if found == nil {
		return content, nil
	}
	number, err := strconv.Atoi(found[1] + found[2])
	if err != nil || number >= len(values) {
		return nil, errNoShape
	}
	_, text := content.(string)
	if _, wanted := values[number].(string); fmt.Sprint(content) != found[0] || text != wanted {
		return nil, errNoShape
	}
	reached[number]++
	return placed(number), nil
}

// cut cuts the text at its markers, which must be as many as were found in the value.
func (t *template) cut(text string, reached []int) error {
	end := 0
	for _, at := range markerText.FindAllStringSubmatchIndex(text, -1) {
		number, err := strconv.Atoi(submatch(text, at, 1) + submatch(text, at, 2))
		if err != nil || number >= len(reached) {
			return errNoShape
		}
		reached[number]--
		line := text[strings.LastIndexByte(text[:at[0]], '\n')+1 : at[0]]
		t.texts = append(t.texts, text[end:at[0]])
		t.places = append(t.places, spot{number, indentAfter(line)})
		end = at[1]
	}
	t.texts = append(t.texts, text[end:])
	if slices.ContainsFunc(reached, func(left int) bool { return left != 0 }) {
		return errNoShape
	}
	return nil
}

func submatch(text string, at []int, group int) string {
	if at[2*group] < 0 {
		return ""
	}
	return text[at[2*group]:at[2*group+1]]
}

// indentAfter gives the indentation of a text's lines after the start of its first one: `  - key: `, or `  - `.
func indentAfter(start string) int {
	key := strings.TrimLeft(start, " -")
	if key == "" {
		return len(start)
	}
	return len(start) - len(key) + 2
}

// fill gives the object with these values in their places.
func (t *template) fill(values *writtenValues) object {
	var text strings.Builder
	for i, at := range t.places {
		text.WriteString(t.texts[i])
		text.WriteString(values.text(at))
	}
	text.WriteString(t.texts[len(t.places)])
	fields, _ := putIn(t.value, values.values).(map[string]any)
	metadata, _ := fields["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	return object{Group: t.group, Version: t.version, Kind: t.kind, Namespace: namespace, Name: name, YAML: text.String(), Value: fields}
}

// putIn copies a value with these values in their places.
func putIn(content any, values []any) any {
	switch content := content.(type) {
	case placed:
		return values[content]
	case map[string]any:
		copied := make(map[string]any, len(content))
		for key, field := range content {
			copied[key] = putIn(field, values)
		}
		return copied
	case []any:
		copied := make([]any, len(content))
		for i, item := range content {
			copied[i] = putIn(item, values)
		}
		return copied
	}
	return content
}

// writtenValues are the values of one overlay, each written as YAML once.
type writtenValues struct {
	values []any
	texts  []string // as the value of a key of one letter, at the left margin
}

func newWrittenValues(values []any) *writtenValues {
	return &writtenValues{values, make([]string, len(values))}
}

func (w *writtenValues) text(at spot) string {
	if w.texts[at.number] == "" {
		w.texts[at.number] = writeScalar(w.values[at.number])
	}
	text := w.texts[at.number]
	if !strings.Contains(text, "\n") {
		return text
	}
	return strings.ReplaceAll(text, "\n  ", "\n"+strings.Repeat(" ", at.indent))
}

// writeScalar writes a value as canonicalYAML does: the lines of a long text are indented by two spaces.
func writeScalar(value any) string {
	text, ok := value.(string)
	if !ok {
		return fmt.Sprint(value)
	}
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{stringNode("k"), stringNode(text)}}
	written, err := encode(node)
	if err != nil {
		return strconv.Quote(text) // the comparison with Kustomize's own answer fails
	}
	return strings.TrimSuffix(strings.TrimPrefix(written, "k: "), "\n")
}
