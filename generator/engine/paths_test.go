package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// walked asks the verb for one walk over all of the expressions.
func walked(t *testing.T, expressions ...string) walk {
	t.Helper()
	numbers := make([]int, len(expressions))
	for i := range numbers {
		numbers[i] = i
	}
	params, _ := json.Marshal(map[string]any{"expressions": expressions, "texts": []string{"/"}, "together": [][]int{numbers}})
	answer, err := paths(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	return answer.(map[string]any)["walks"].([]walk)[0]
}

func combination(expressions []*regexp.Regexp, path string) string {
	var matched strings.Builder
	for _, e := range expressions {
		fmt.Fprint(&matched, e.MatchString(path), " ")
	}
	return matched.String()
}

// same fails unless the walk has exactly the combinations of paths up to a length, each with a path that is no longer.
func same(t *testing.T, alphabet string, length int, expressions ...string) {
	t.Helper()
	compiled := make([]*regexp.Regexp, len(expressions))
	for i, e := range expressions {
		compiled[i] = regexp.MustCompile(e)
	}
	shortest := map[string]string{}
	level := []string{"/"}
	for range length {
		var next []string
		for _, path := range level {
			if _, known := shortest[combination(compiled, path)]; !known {
				shortest[combination(compiled, path)] = path
			}
			for _, character := range alphabet {
				next = append(next, path+string(character))
			}
		}
		level = next
	}
	found := walked(t, expressions...)
	if found.Problem != nil {
		t.Fatalf("%q: %+v", expressions, found.Problem)
	}
	met := map[string]string{}
	for _, w := range found.Ways {
		name := combination(compiled, w.Path)
		told := strings.ReplaceAll(strings.Trim(fmt.Sprint(w.Matched), "[]")+" ", ", ", " ")
		if name != told {
			t.Errorf("%q: %q is told as %s, Go's regexp says %s", expressions, w.Path, told, name)
		}
		met[name] = w.Path
	}
	for name, path := range shortest {
		if w, there := met[name]; !there || len([]rune(w)) > len([]rune(path)) {
			t.Errorf("%q: %s is met by %q, and told by %q", expressions, name, path, w)
		}
	}
}

func TestAWalkMeetsEachWayInWhichAPathCanMatch(t *testing.T) {
	for _, expressions := range [][]string{
		{"^/a", "b$"},
		{`\A/a\z`, `\A/a`, "^/(?:a|b)*$"},
		{"(?i)^/+web/+a(?:/|$)", "^/web"},
		{"a{2,3}b?$", "[^/a]", "(a|ba)*$"},
		{`\bab\b`, `\Ba`, "a"},
		{"(?m)^a$", "(?s)a.b", "a.b"},
		{"^$", "", "/$"},
		{"(?i)k", "k", "\u212a"},
		{`[^\n]+é`, `\pL`},
		{"^/(?:[^/]+/)?x$", "x"},
		{"a??b", "(?:a*)*b", "(?:)"},
	} {
		same(t, "ab/x\nékK\u212a W-", 4, expressions...)
	}
}

func TestAnyWalkAgreesWithGoOnAnyPath(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var expression func(depth int) string
	expression = func(depth int) string {
		if depth == 0 {
			return []string{"a", "b", "/", ".", "[^/]", "[ab]", "^", "$", `\b`, `\B`, "(?i:A)", "", `\w`, `\n`}[random.IntN(14)]
		}
		a := expression(depth - 1)
		switch random.IntN(7) {
		case 0:
			return "(?:" + a + ")" + []string{"*", "+", "?", "*?", "{2}", "{1,2}"}[random.IntN(6)]
		case 1:
			return "(" + a + "|" + expression(depth-1) + ")"
		case 2:
			return a
		default:
			return a + expression(depth-1)
		}
	}
	for range 150 {
		same(t, "ab/A\n", 5, expression(1+random.IntN(3)), expression(1+random.IntN(3)), expression(random.IntN(3)))
	}
}

func TestExpressionsThatCannotBeWalkedSayWhy(t *testing.T) {
	for _, c := range []struct {
		kind        string
		expressions []string
	}{
		{kindSyntax, []string{"^/a", "(?=a)"}},
		{kindSyntax, []string{"("}},
		{kindSyntax, []string{"a{1001}"}},
		{kindLarge, []string{strings.Repeat("[ab]{1000}", 21)}},
		{kindLarge, []string{"(a|b)*a(a|b){20}$"}},
		{kindLarge, []string{"(?:[^/]*a){40}", "(?:[^/]*b){40}", "(?:[^/]*c){40}", "(?:[^/]*d){40}"}},
	} {
		if found := walked(t, c.expressions...); found.Problem == nil || found.Problem.Kind != c.kind {
			t.Errorf("%q: got %+v, want a problem of kind %s", c.expressions, found, c.kind)
		}
	}
}

func TestWalkAfterWalkEndsInTime(t *testing.T) {
	a, err := newAutomaton("^/(?:a|b)*$")
	if err != nil {
		t.Fatal(err)
	}
	left := 1
	for number, want := range []string{"", kindLarge} {
		found, err := walkTogether([]int{0}, []*automaton{a}, make([]*refusal, 1), &left)
		if err != nil || (found.Problem == nil) != (want == "") || found.Problem != nil && found.Problem.Kind != want {
			t.Errorf("%d: got %+v, %v, want %q", number, found, err, want)
		}
	}
}

func TestTextsAreMatchedAsByGo(t *testing.T) {
	params, _ := json.Marshal(map[string]any{"expressions": []string{"^/a$", "("}, "texts": []string{"/a", "/a\n", "/b"}})
	answer, err := paths(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if told := fmt.Sprint(answer.(map[string]any)["matches"]); told != "[[true false false] [false false false]]" {
		t.Errorf("got %s", told)
	}
	if problems := answer.(map[string]any)["problems"].([]*refusal); problems[0] != nil || problems[1].Kind != kindSyntax {
		t.Errorf("got %+v", problems)
	}
}

func TestAWalkOverWhatIsNotThereIsMisuse(t *testing.T) {
	for _, number := range []int{-1, 1} {
		params, _ := json.Marshal(map[string]any{"expressions": []string{"a"}, "together": [][]int{{number}}})
		if _, err := paths(t.Context(), params); err == nil {
			t.Errorf("%d: want an error", number)
		}
	}
}
