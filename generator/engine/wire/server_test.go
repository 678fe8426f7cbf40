package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func TestACancelledRequestIsAnsweredAsCancelled(t *testing.T) {
	// All slots are taken, so the request can't have begun when it is cancelled.
	s := newServer(strings.NewReader(""), io.Discard, map[string]Verb{"build": Hello(nil)})
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
