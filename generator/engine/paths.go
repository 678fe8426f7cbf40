package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"tenantry.io/wire"
)

// Bounds of one walk.
const (
	maxJoint = 60_000     // places of all expressions together
	maxSpent = 20_000_000 // instructions visited
	// maxWork bounds all walks of one request: twenty of the largest, half a minute's work.
	maxWork = 20 * (maxJoint + maxSpent/spentAPlace)
	// spentAPlace is how many instructions are looked at in the time that one place takes otherwise.
	spentAPlace = 300
)

// way is one combination of matches that some path has, and the shortest path that has it.
type way struct {
	Matched []bool `json:"matched"`
	Path    string `json:"path"`
}

type walk struct {
	Ways    []way    `json:"ways"`
	Problem *refusal `json:"problem,omitempty"`
}

// paths evaluates regular expressions as Go's regexp does: which of some texts each matches, and, for each list
// of them (by number), every combination of matches that a path can have. Each is compiled once.
func paths(ctx context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Expressions []string `json:"expressions"`
		Texts       []string `json:"texts"`
		Together    [][]int  `json:"together"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	automata := make([]*automaton, len(input.Expressions))
	problems := make([]*refusal, len(input.Expressions))
	matches := make([][]bool, len(input.Expressions))
	for i, expression := range input.Expressions {
		compiled, err := regexp.Compile(expression)
		if err == nil {
			automata[i], err = newAutomaton(expression)
		}
		matches[i] = make([]bool, len(input.Texts))
		switch {
		case errors.Is(err, errProgramTooLarge):
			problems[i] = &refusal{kindLarge, err.Error()}
			continue
		case err != nil:
			problems[i] = &refusal{kindSyntax, err.Error()}
			continue
		}
		for j, text := range input.Texts {
			matches[i][j] = compiled.MatchString(text)
		}
	}
	walks := make([]walk, len(input.Together))
	left := maxWork
	for i, numbers := range input.Together {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		found, err := walkTogether(numbers, automata, problems, &left)
		if err != nil {
			return nil, wire.Usage(err)
		}
		walks[i] = found
	}
	return map[string]any{"problems": problems, "matches": matches, "walks": walks}, nil
}

// walkTogether walks some of the automata; what it spends is taken from what is left.
func walkTogether(numbers []int, automata []*automaton, problems []*refusal, left *int) (walk, error) {
	chosen := make([]*automaton, len(numbers))
	for i, number := range numbers {
		if number < 0 || number >= len(automata) {
			return walk{}, fmt.Errorf("there is no expression %d", number)
		}
		if problems[number] != nil {
			return walk{Problem: problems[number]}, nil
		}
		chosen[i] = automata[number].anew()
	}
	if *left <= 0 {
		return walk{Problem: &refusal{kindLarge, errTooMany.Error()}}, nil
	}
	ways, places, err := allWays(chosen)
	*left -= places + spent(chosen)/spentAPlace
	if err != nil {
		return walk{Problem: &refusal{kindLarge, err.Error()}}, nil
	}
	return walk{Ways: ways}, nil
}

var errTooMany = errors.New("too many expressions to be walked together")

// allWays walks the automata together over all paths, the shortest first, and each place once; it tells their number.
func allWays(automata []*automaton) (ways []way, places int, err error) {
	letters := lettersOf(automata)
	first := make([]int32, len(automata))
	for i, a := range automata {
		first[i] = a.number(a.step(a.positions[0], '/'))
	}
	w := &walker{automata: automata, letters: letters, seen: map[string]bool{}, found: map[string]bool{}}
	w.meet(first, "/")
	for len(w.todo) > 0 {
		from := w.todo[0]
		w.todo = w.todo[1:]
		for letter := range letters {
			following := make([]int32, len(automata))
			for i, a := range automata {
				following[i] = a.after(from.places[i], letter, letters)
			}
			w.meet(following, from.path+string(letters[letter]))
			if len(w.seen) > maxJoint || spent(automata) > maxSpent {
				return nil, len(w.seen), errTooMany
			}
		}
	}
	return w.ways, len(w.seen), nil
}

// place is one position of each automaton, and the path that led there.
type place struct {
	places []int32
	path   string
}

type walker struct {
	automata []*automaton
	letters  []rune
	seen     map[string]bool
	found    map[string]bool
	todo     []place
	ways     []way
}

func (w *walker) meet(places []int32, path string) {
	key := make([]byte, 0, 4*len(places))
	for _, number := range places {
		key = binary.BigEndian.AppendUint32(key, uint32(number))
	}
	if w.seen[string(key)] {
		return
	}
	w.seen[string(key)] = true
	w.todo = append(w.todo, place{places, path})
	matched := make([]bool, len(places))
	for i, a := range w.automata {
		matched[i] = a.matchesAtEnd(places[i])
	}
	if combination := fmt.Sprint(matched); !w.found[combination] {
		w.found[combination] = true
		w.ways = append(w.ways, way{matched, path})
	}
}

func spent(automata []*automaton) int {
	sum := 0
	for _, a := range automata {
		sum += a.spent
	}
	return sum
}

// readable are characters for examples, in the order in which they are preferred.
const readable = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~/"

// lettersOf gives one character of each class that no expression tells apart: all paths of these characters have every
// combination of matches that any path has.
func lettersOf(automata []*automaton) []rune {
	bounds := map[rune]bool{0: true, 0xd800: true, 0xe000: true}
	for _, a := range automata {
		a.boundaries(bounds)
	}
	candidates := []rune(readable)
	for character := rune('!'); character <= '~'; character++ {
		candidates = append(candidates, character)
	}
	candidates = append(candidates, slices.Sorted(maps.Keys(bounds))...)
	classes := map[string]bool{}
	var letters []rune
	for _, character := range candidates {
		if character > 0x10ffff || 0xd800 <= character && character < 0xe000 {
			continue // no text contains it
		}
		class := classOf(automata, character)
		if !classes[class] {
			classes[class] = true
			letters = append(letters, character)
		}
	}
	return letters
}

// classOf says which instructions take a character, and what assertions see of it.
func classOf(automata []*automaton, character rune) string {
	var class strings.Builder
	asserted := false
	for _, a := range automata {
		for _, instruction := range a.sets {
			if instruction.MatchRune(character) {
				class.WriteByte('1')
			} else {
				class.WriteByte('0')
			}
		}
		asserted = asserted || a.asserts
	}
	if asserted {
		class.WriteRune(kindOf(character))
	}
	return class.String()
}
