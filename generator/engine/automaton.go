package main

import (
	"encoding/binary"
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode"
)

// automaton is a regular expression, determinized lazily while it is walked. It agrees with regexp.MatchString: both
// run the program that regexp/syntax compiles.
type automaton struct {
	program   *syntax.Prog
	sets      []*syntax.Inst // instructions that consume a character, without duplicates
	asserts   bool           // whether it has assertions about neighbouring characters
	numbers   map[string]int32
	positions []*position
	spent     int // instructions visited
}

// position is a state while reading a text: the instructions that come next, and the kind of the previous character.
type position struct {
	threads []uint32
	before  rune
	matched bool // an earlier part matched; the rest of the text changes nothing
	ends    *bool
	next    []int32
}

const (
	unknown = -1
	// maxProgram limits one expression: `(a{1000}){1000}` is short, but has a million instructions.
	maxProgram = 20_000
)

var errProgramTooLarge = fmt.Errorf("the expression has more than %d instructions", maxProgram)

func newAutomaton(expression string) (*automaton, error) {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxProgram {
		return nil, errProgramTooLarge
	}
	a := &automaton{program: program, numbers: map[string]int32{}}
	a.number(&position{threads: []uint32{uint32(program.Start)}, before: -1}) // the first, 0
	known := map[string]bool{}
	for i := range program.Inst {
		instruction := &program.Inst[i]
		a.asserts = a.asserts || instruction.Op == syntax.InstEmptyWidth
		if takes := fmt.Sprint(instruction.Arg, instruction.Rune); takesCharacter(instruction) && !known[takes] {
			known[takes] = true
			a.sets = append(a.sets, instruction)
		}
	}
	return a, nil
}

// anew returns the same automaton without positions: these are numbered by the letters of one walk.
func (a *automaton) anew() *automaton {
	other := &automaton{program: a.program, sets: a.sets, asserts: a.asserts, numbers: map[string]int32{}}
	other.number(&position{threads: a.positions[0].threads, before: -1})
	return other
}

func takesCharacter(instruction *syntax.Inst) bool {
	switch instruction.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// after returns the position after a character; letters are numbered by the walk.
func (a *automaton) after(number int32, letter int, letters []rune) int32 {
	a.spent++
	from := a.positions[number]
	if from.matched {
		return number
	}
	if from.next == nil {
		from.next = slices.Repeat([]int32{unknown}, len(letters))
	}
	if from.next[letter] == unknown {
		from.next[letter] = a.number(a.step(from, letters[letter]))
	}
	return from.next[letter]
}

func (a *automaton) step(from *position, character rune) *position {
	waiting, matched := a.follow(from, character)
	if matched {
		return &position{matched: true}
	}
	threads := []uint32{uint32(a.program.Start)} // a match may begin anywhere
	for _, at := range waiting {
		if instruction := &a.program.Inst[at]; instruction.MatchRune(character) {
			threads = append(threads, instruction.Out)
		}
	}
	slices.Sort(threads)
	return &position{threads: slices.Compact(threads), before: kindOf(character)}
}

// matchesAtEnd reports whether a text that ends here matches.
func (a *automaton) matchesAtEnd(number int32) bool {
	position := a.positions[number]
	if position.ends == nil {
		matched := position.matched
		if !matched {
			_, matched = a.follow(position, -1)
		}
		position.ends = &matched
	}
	return *position.ends
}

// follow skips instructions that consume no character, given the next one (-1 at the end). It returns those that
// consume one, and whether the end of the expression is reached.
func (a *automaton) follow(from *position, next rune) (waiting []uint32, matched bool) {
	holds := syntax.EmptyOpContext(from.before, next)
	seen := make(map[uint32]bool, len(from.threads))
	todo := slices.Clone(from.threads)
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		a.spent++
		instruction := &a.program.Inst[at]
		switch instruction.Op {
		case syntax.InstMatch:
			return nil, true
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, instruction.Out, instruction.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, instruction.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(instruction.Arg)&^holds == 0 {
				todo = append(todo, instruction.Out)
			}
		default:
			if takesCharacter(instruction) {
				waiting = append(waiting, at)
			}
		}
	}
	return waiting, false
}

// kindOf reduces a character to what an assertion (`^`, `$`, `\b`) can depend on.
func kindOf(character rune) rune {
	switch {
	case character == '\n':
		return '\n'
	case syntax.IsWordChar(character):
		return 'a'
	}
	return ' '
}

func (a *automaton) number(p *position) int32 {
	key := make([]byte, 0, 4*len(p.threads)+5)
	key = binary.BigEndian.AppendUint32(key, uint32(p.before))
	if p.matched {
		key = append(key, 1)
	}
	for _, at := range p.threads {
		key = binary.BigEndian.AppendUint32(key, at)
	}
	number, known := a.numbers[string(key)]
	if !known {
		number = int32(len(a.positions))
		a.numbers[string(key)] = number
		a.positions = append(a.positions, p)
	}
	return number
}

// boundaries adds the characters at which what the expression says of a character may change.
func (a *automaton) boundaries(found map[rune]bool) {
	between := func(first, last rune) { found[first], found[last+1] = true, true }
	for _, instruction := range a.sets {
		if len(instruction.Rune) == 1 { // one letter, perhaps in either case
			between(instruction.Rune[0], instruction.Rune[0])
			for r := unicode.SimpleFold(instruction.Rune[0]); r != instruction.Rune[0]; r = unicode.SimpleFold(r) {
				between(r, r)
			}
		}
		for pair := 0; pair+1 < len(instruction.Rune); pair += 2 {
			between(instruction.Rune[pair], instruction.Rune[pair+1])
		}
	}
	if a.asserts {
		for _, word := range []string{"\n\n", "09", "AZ", "az", "__"} {
			between(rune(word[0]), rune(word[1]))
		}
	}
}
