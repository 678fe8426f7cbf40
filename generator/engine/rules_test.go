package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// shown is a tree in one line.
func shown(n *ruleNode) string {
	join := func(parts []*ruleNode, operator string) string {
		texts := make([]string, len(parts))
		for i, part := range parts {
			texts[i] = shown(part)
		}
		return "(" + strings.Join(texts, operator) + ")"
	}
	switch {
	case n.All != nil:
		return join(n.All, " && ")
	case n.Any != nil:
		return join(n.Any, " || ")
	}
	text := n.Matcher + "(" + strings.Join(n.Arguments, ",") + ")"
	if n.Not {
		text = "!" + text
	}
	return text
}

func TestARuleBecomesATree(t *testing.T) {
	for text, want := range map[string]string{
		"Host(`a`)":                    "Host(a)",
		"Host(\"a\\x62\")":             "Host(ab)",
		"!Host(`a`)":                   "!Host(a)",
		"!!Host(`a`)":                  "Host(a)",
		"host(`a`) && PATHPREFIX(`/`)": "(Host(a) && PathPrefix(/))",
		"Pathprefix(`/`) || Clientip(`10.0.0.0/8`)":   "(PathPrefix(/) || ClientIP(10.0.0.0/8))",
		"Host(`a`) || Host(`b`) && Path(`/c`)":        "(Host(a) || (Host(b) && Path(/c)))",
		"(Host(`a`) || Host(`b`)) && Path(`/c`)":      "((Host(a) || Host(b)) && Path(/c))",
		"Host(`a`) && (Path(`/b`) && !Path(`/c`))":    "(Host(a) && Path(/b) && !Path(/c))",
		"!(Host(`a`) && Path(`/b`)) || Path(`/c`)":    "(!Host(a) || !Path(/b) || Path(/c))",
		"!(Host(`a`) || !(Path(`/b`) || Path(`/c`)))": "(!Host(a) && (Path(/b) || Path(/c)))",
		"Header(`a`, `b`) && Query(`q`)":              "(Header(a,b) && Query(q))",
		" \n Host( `a` ) &&\n Method(`GET`) ":         "(Host(a) && Method(GET))",
	} {
		tree, err := httpRules.parse(text)
		if err != nil || shown(tree) != want {
			t.Errorf("%s: got %v, %v, want %s", text, tree, err, want)
		}
	}
}

func TestMatchersOfPathsAreExpressions(t *testing.T) {
	for text, want := range map[string]string{
		"Path(`/a.b`)": `\A/a\.b\z`, "PathPrefix(`/a+`)": `\A/a\+`, "PathRegexp(`^/a$`)": `^/a$`, "Host(`a`)": "",
	} {
		tree, err := httpRules.parse(text)
		if err != nil || tree.Path != want {
			t.Errorf("%s: got %v, %v, want %s", text, tree, err, want)
		}
	}
}

func TestWhatTraefikRefusesIsNoTree(t *testing.T) {
	deep := strings.Repeat("Path(`/a`) || (Path(`/b`) && (", 40) + "Path(`/c`)" + strings.Repeat("))", 40)
	for text, want := range map[string]string{
		"":                           kindSyntax,
		"Host(`a`":                   kindSyntax,
		"Host(a)":                    kindSyntax,
		"Host(`a`)\n&& Path(`/`)":    kindSyntax,
		"Host(`a`) Path(`/`)":        kindSyntax,
		"Host(`a`) == Path(`/`)":     kindSyntax,
		"`a`":                        kindSyntax,
		"Host(`a`) && `b`":           kindSyntax,
		"Host()":                     kindSyntax,
		"Host(``)":                   kindSyntax,
		"Host(`a`, `b`)":             kindSyntax,
		"Host(`ä`)":                  kindSyntax,
		"Header(`a`)":                kindSyntax,
		"Header(`a`, ``)":            kindSyntax,
		"hOST(`a`)":                  kindSyntax,
		"PathRegexp(`(?=a)`)":        kindSyntax,
		"PathRegexp(`a{1001}`)":      kindSyntax,
		"QueryRegexp(`a`, `(`)":      kindSyntax,
		"HostRegexp(`é`)":            kindSyntax,
		"Path(`a`)":                  kindSyntax,
		"ClientIP(`a`)":              kindSyntax,
		"Host(1)":                    kindSyntax,
		strings.Repeat("(", 200_000): kindSyntax,
		deep:                         kindLarge,
	} {
		params, _ := json.Marshal(map[string]any{"texts": []string{text}})
		answer, err := rules(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		read := answer.(map[string]any)["rules"].([]readRule)[0]
		if read.Tree != nil || read.Problem == nil || read.Problem.Kind != want {
			t.Errorf("%.60q: got %+v, %+v, want a problem of kind %s", text, read.Tree, read.Problem, want)
		}
	}
	if tree, err := httpRules.parse("QueryRegexp(`(`)"); err != nil { // one value is a name, no expression
		t.Errorf("got %v, %v", tree, err)
	}
}

func TestALongChainIsOneLevel(t *testing.T) {
	tree, err := httpRules.parse(strings.TrimSuffix(strings.Repeat("Path(`/a`) || ", 5000), " || "))
	if err != nil || len(tree.Any) != 5000 {
		t.Fatalf("got %v", err)
	}
}
