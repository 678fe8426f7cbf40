package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestACancelledRequestIsAnsweredAsCancelled(t *testing.T) {
	// All slots are taken, so the request can't have begun when it is cancelled.
	s := newServer(strings.NewReader(""), io.Discard, map[string]Verb{"build": Hello(nil, nil)})
	var out bytes.Buffer
	s.out = &out
	for range cap(s.slots) {
		s.slots <- struct{}{}
	}
	body, _ := json.Marshal(map[string]any{"path": "x"})
	s.accept(request{ID: 7, Verb: "build", Params: body})
	if found := s.cancel(json.RawMessage(`{"id": 7}`)); !found["found"] {
		t.Fatal("the request is not known")
	}
	for range cap(s.slots) {
		<-s.slots
	}
	s.working.Wait()
	frame, err := ReadFrame(&out)
	if err != nil || !strings.Contains(string(frame), `"cancelled"`) {
		t.Fatalf("got %s, %v", frame, err)
	}
}

func TestABrokenStreamEndsTheServer(t *testing.T) {
	for name, stream := range map[string]string{
		"half a header": "\x00\x00",
		"half a body":   "\x00\x00\x00\x09{\"id\"",
		"no JSON":       "\x00\x00\x00\x03abc",
		"too long":      "\xff\xff\xff\xff",
	} {
		if err := newServer(strings.NewReader(stream), io.Discard, nil).run(); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

// kinds serves requests for the given verbs and gives the kind of error that each id is answered with.
func kinds(t *testing.T, verbs map[string]Verb, requests ...request) map[uint64]string {
	t.Helper()
	var in, out bytes.Buffer
	for _, r := range requests {
		body, _ := json.Marshal(map[string]any{"id": r.ID, "verb": r.Verb, "params": r.Params})
		if err := WriteFrame(&in, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := Serve(&in, &out, verbs); err != nil {
		t.Fatal(err)
	}
	found := map[uint64]string{}
	for {
		body, err := ReadFrame(&out)
		if err == io.EOF {
			return found
		}
		var a answer
		if err != nil || json.Unmarshal(body, &a) != nil {
			t.Fatalf("got %s, %v", body, err)
		}
		found[a.ID] = ""
		if a.Error != nil {
			found[a.ID] = a.Error.Kind
		}
	}
}

func TestEachFailureSaysItsKind(t *testing.T) {
	defer func(most int) { maxFrameBytes = most }(maxFrameBytes)
	maxFrameBytes = 1 << 10
	verbs := map[string]Verb{
		"good":    func(context.Context, json.RawMessage) (any, error) { return "well", nil },
		"panic":   func(context.Context, json.RawMessage) (any, error) { panic("at the disco") },
		"misused": func(context.Context, json.RawMessage) (any, error) { return nil, Usage(errors.New("no such thing")) },
		"refused": func(context.Context, json.RawMessage) (any, error) { return nil, &Error{KindBuild, "no base"} },
		"wrapped": func(context.Context, json.RawMessage) (any, error) {
			return nil, fmt.Errorf("a: %w", &Error{KindBuild, "b"})
		},
		"broken":   func(context.Context, json.RawMessage) (any, error) { return nil, errors.New("panic: only a word") },
		"no JSON":  func(context.Context, json.RawMessage) (any, error) { return func() {}, nil },
		"too long": func(context.Context, json.RawMessage) (any, error) { return strings.Repeat("x", maxFrameBytes), nil },
	}
	want := map[string]string{
		"good": "", "panic": KindPanic, "misused": KindUsage, "refused": KindBuild, "wrapped": KindBuild,
		"broken": KindInternal, "no JSON": KindInternal, "too long": KindInternal, "unheard": KindUsage,
	}
	requests, id := []request{}, uint64(0)
	verbOf := map[uint64]string{}
	for verb := range want {
		id++
		requests, verbOf[id] = append(requests, request{ID: id, Verb: verb}), verb
	}
	for id, kind := range kinds(t, verbs, requests...) {
		if verb := verbOf[id]; kind != want[verb] {
			t.Errorf("%s: got an error of kind %q, want %q", verb, kind, want[verb])
		}
		delete(verbOf, id)
	}
	if len(verbOf) > 0 {
		t.Errorf("never answered: %v", verbOf)
	}
}

func TestHelloTellsTheVerbs(t *testing.T) {
	verbs := map[string]Verb{"build": nil}
	verbs["hello"] = Hello(nil, verbs)
	result, _ := verbs["hello"](context.Background(), nil)
	if told := result.(map[string]any)["verbs"]; !slices.Equal(told.([]string), []string{"build", "cancel", "hello"}) {
		t.Errorf("got %v", told)
	}
}
