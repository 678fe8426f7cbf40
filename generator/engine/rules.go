package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/vulcand/predicate"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"tenantry.io/wire"
)

// maxRuleDepth bounds "and" inside of "or" inside of "and"; chains of one of them count once.
const maxRuleDepth = 50

// ruleNode is a part of a routing rule: all of some parts, any of them, or a matcher. "Not" stands at matchers only, as
// Traefik keeps it too.
type ruleNode struct {
	All       []*ruleNode `json:"all,omitempty"`
	Any       []*ruleNode `json:"any,omitempty"`
	Matcher   string      `json:"matcher,omitempty"`
	Arguments []string    `json:"arguments,omitempty"`
	Not       bool        `json:"not,omitempty"`
	Path      string      `json:"path,omitempty"` // the paths that the matcher asks for, as a regular expression
}

// readRule is a rule's tree, or why Traefik refuses it.
type readRule struct {
	Tree    *ruleNode `json:"tree,omitempty"`
	Problem *refusal  `json:"problem,omitempty"`
}

// rules reads HTTP rules; the answers are in their order.
func rules(_ context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Texts []string `json:"texts"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	found := make([]readRule, len(input.Texts))
	for i, text := range input.Texts {
		tree, err := httpRules.parse(text)
		switch {
		case errors.Is(err, errTooDeep):
			found[i] = readRule{Problem: &refusal{kindLarge, err.Error()}}
		case err != nil:
			found[i] = readRule{Problem: &refusal{kindSyntax, err.Error()}}
		default:
			found[i] = readRule{Tree: tree}
		}
	}
	return map[string]any{"rules": found}, nil
}

// ruleLanguage parses rules with the library of Traefik's pkg/rules. Matchers are written in four ways there.
type ruleLanguage struct {
	matchers map[string]matcher
	parser   predicate.Parser
}

// written is a part of a rule as it is written, "not" before anything.
type written struct {
	operator    string
	left, right *written
	name        string
	values      []string
	not         bool
}

func newRuleLanguage(matchers map[string]matcher) *ruleLanguage {
	functions := map[string]any{}
	for name := range matchers {
		call := func(values ...string) *written { return &written{name: name, values: values} }
		lower := strings.ToLower(name)
		for _, spelling := range []string{name, lower, strings.ToUpper(name), cases.Title(language.Und).String(lower)} {
			functions[spelling] = call
		}
	}
	join := func(operator string) func(left, right *written) *written {
		return func(left, right *written) *written { return &written{operator: operator, left: left, right: right} }
	}
	negate := func(part *written) *written { part.not = !part.not; return part }
	parser, err := predicate.NewParser(predicate.Def{
		Operators: predicate.Operators{AND: join("and"), OR: join("or"), NOT: negate}, Functions: functions,
	})
	if err != nil {
		panic(err)
	}
	return &ruleLanguage{matchers, parser}
}

// parse reads a rule, and checks every matcher's values.
func (l *ruleLanguage) parse(text string) (*ruleNode, error) {
	parsed, err := l.parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no rule: %s", text, strings.TrimSpace(strings.Split(err.Error(), "\n")[0]))
	}
	whole, ok := parsed.(*written)
	if !ok {
		return nil, fmt.Errorf("%q is no rule", text)
	}
	return l.node(whole, false, 0)
}

var errTooDeep = fmt.Errorf("the rule is nested deeper than %d levels", maxRuleDepth)

// node turns a part, or its opposite, into a tree.
func (l *ruleLanguage) node(part *written, not bool, depth int) (*ruleNode, error) {
	not = not != part.not
	if part.operator == "" {
		return l.leaf(part, not)
	}
	if depth > maxRuleDepth {
		return nil, errTooDeep
	}
	all := (part.operator == "and") != not
	var parts []*ruleNode
	for _, side := range chain(part, not) {
		node, err := l.node(side.part, side.not, depth+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, node)
	}
	if all {
		return &ruleNode{All: parts}, nil
	}
	return &ruleNode{Any: parts}, nil
}

// link is a part of a chain; `not` is what stands before the parts around it.
type link struct {
	part *written
	not  bool
}

// chain gives the parts that one "and", or one "or", joins, however they are put into parentheses.
func chain(top *written, not bool) []link {
	all := (top.operator == "and") != not
	var found []link
	todo := []link{{top.right, not}, {top.left, not}}
	for len(todo) > 0 {
		last := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		inner := last.not != last.part.not
		if last.part.operator != "" && ((last.part.operator == "and") != inner) == all {
			todo = append(todo, link{last.part.right, inner}, link{last.part.left, inner})
		} else {
			found = append(found, last)
		}
	}
	return found
}

func (l *ruleLanguage) leaf(part *written, not bool) (*ruleNode, error) {
	m := l.matchers[part.name]
	if len(part.values) < m.least || len(part.values) > m.most {
		return nil, fmt.Errorf("%s takes %s, not %d", part.name, count(m.least, m.most), len(part.values))
	}
	for _, value := range part.values {
		if value == "" {
			return nil, fmt.Errorf("%s has an empty value", part.name)
		}
	}
	if m.check != nil {
		if err := m.check(part.values); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	node := &ruleNode{Matcher: part.name, Arguments: part.values, Not: not}
	if m.path != nil {
		node.Path = m.path(part.values[0])
	}
	return node, nil
}

// Expressions for what Traefik's matchers of paths do with strings.
func wholePath(value string) string { return `\A` + regexp.QuoteMeta(value) + `\z` }
func pathStart(value string) string { return `\A` + regexp.QuoteMeta(value) }
func asWritten(value string) string { return value }
