package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// protocolVersion changes when a message changes in a way that an older peer would misread.
const protocolVersion = 2

type request struct {
	ID     uint64          `json:"id"`
	Verb   string          `json:"verb"`
	Params json.RawMessage `json:"params"`
}

type answer struct {
	ID     uint64        `json:"id"`
	Result any           `json:"result,omitempty"`
	Error  *requestError `json:"error,omitempty"`
}

// requestError is a failure that belongs to one request; the engine goes on.
type requestError struct {
	Kind    string `json:"kind"` // usage, build, cancelled or internal
	Message string `json:"message"`
}

func (e *requestError) Error() string { return e.Message }

// A verb is one capability. It must be safe to call from several goroutines.
type verb func(ctx context.Context, params json.RawMessage) (any, error)

type server struct {
	in      io.Reader
	out     io.Writer
	writing sync.Mutex
	slots   chan struct{} // bounds how many requests work at one time

	mutex   sync.Mutex
	running map[uint64]context.CancelFunc

	working sync.WaitGroup
	verbs   map[string]verb
}

func newServer(in io.Reader, out io.Writer) *server {
	kustomize := newKustomize()
	go kustomize.warm.Do(warmUp) // while the peer still reads its inputs
	return &server{
		in:      in,
		out:     out,
		slots:   make(chan struct{}, runtime.GOMAXPROCS(0)),
		running: map[uint64]context.CancelFunc{},
		verbs: map[string]verb{
			"hello": hello,
			"store": kustomize.store,
			"build": kustomize.build,
			"parse": kustomize.parse,

			"define": kustomize.catalog.define,
		},
	}
}

// run serves until standard input ends, then waits for what is still in work.
func (s *server) run() error {
	defer s.working.Wait()
	for {
		body, err := readFrame(s.in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var r request
		if err := json.Unmarshal(body, &r); err != nil {
			return fmt.Errorf("a message is not a request: %w", err)
		}
		s.accept(r)
	}
}

func (s *server) accept(r request) {
	switch r.Verb {
	case "cancel":
		s.send(answer{ID: r.ID, Result: s.cancel(r.Params)})
		return
	case "store", "define": // in order with the requests that follow it
		s.send(s.work(context.Background(), r))
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.mutex.Lock()
	s.running[r.ID] = cancel
	s.mutex.Unlock()
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		s.slots <- struct{}{}
		result := s.work(ctx, r)
		<-s.slots
		s.mutex.Lock()
		delete(s.running, r.ID)
		s.mutex.Unlock()
		cancel()
		s.send(result)
	}()
}

func (s *server) cancel(params json.RawMessage) map[string]bool {
	var target struct {
		ID uint64 `json:"id"`
	}
	found := false
	if json.Unmarshal(params, &target) == nil {
		s.mutex.Lock()
		stop, ok := s.running[target.ID]
		s.mutex.Unlock()
		if ok {
			stop()
			found = true
		}
	}
	return map[string]bool{"found": found}
}

// work answers one request. A panic in a library becomes an error of that request alone.
func (s *server) work(ctx context.Context, r request) (result answer) {
	result = answer{ID: r.ID}
	defer func() {
		if p := recover(); p != nil {
			result = answer{ID: r.ID, Error: &requestError{"internal", fmt.Sprint("panic: ", p)}}
		}
	}()
	run, ok := s.verbs[r.Verb]
	if !ok {
		result.Error = &requestError{"usage", fmt.Sprintf("unknown verb %q", r.Verb)}
		return result
	}
	value, err := run(ctx, r.Params)
	if ctx.Err() != nil {
		err = &requestError{"cancelled", "cancelled"}
	}
	if err != nil {
		var known *requestError
		if !errors.As(err, &known) {
			known = &requestError{"internal", err.Error()}
		}
		result.Error = known
		return result
	}
	result.Result = value
	return result
}

func (s *server) send(a answer) {
	body, err := json.Marshal(a)
	if err != nil {
		body, _ = json.Marshal(answer{ID: a.ID, Error: &requestError{"internal", err.Error()}})
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	// A reader that went away ends standard input too; run returns then.
	_ = writeFrame(s.out, body)
}

func hello(context.Context, json.RawMessage) (any, error) {
	return map[string]any{"protocol": protocolVersion, "go": runtime.Version(), "kustomize": moduleVersion("sigs.k8s.io/kustomize/api")}, nil
}

func usage(err error) error {
	if err == nil {
		return nil
	}
	return &requestError{"usage", err.Error()}
}
