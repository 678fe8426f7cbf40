package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
)

// ProtocolVersion changes when a message changes in a way that an older peer would misread.
const ProtocolVersion = 5

type request struct {
	ID     uint64          `json:"id"`
	Verb   string          `json:"verb"`
	Params json.RawMessage `json:"params"`
}

type answer struct {
	ID     uint64 `json:"id"`
	Result any    `json:"result,omitempty"`
	Error  *Error `json:"error,omitempty"`
}

// Kinds of errors. A peer decides by them, never by the words of a message.
const (
	KindUsage     = "usage"     // the request asks for something that can't be
	KindBuild     = "build"     // Kustomize refused an overlay
	KindCancelled = "cancelled" // the peer has no more use for an answer
	KindFiles     = "files"     // the file system refuses
	KindPanic     = "panic"     // a library gave up on this request
	KindInternal  = "internal"  // anything else
)

// Error is a failure that belongs to one request; the engine goes on.
type Error struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// A Verb is one capability. It must be safe to call from several goroutines.
type Verb func(ctx context.Context, params json.RawMessage) (any, error)

type server struct {
	in      io.Reader
	out     io.Writer
	writing sync.Mutex
	slots   chan struct{} // bounds how many requests work at one time

	mutex   sync.Mutex
	running map[uint64]context.CancelFunc

	working sync.WaitGroup
	verbs   map[string]Verb
	inOrder []string
}

// Serve answers requests until the input ends. The verbs `inOrder` are done one after the other with what follows them:
// they change what later requests see.
func Serve(in io.Reader, out io.Writer, verbs map[string]Verb, inOrder ...string) error {
	return newServer(in, out, verbs, inOrder...).run()
}

func newServer(in io.Reader, out io.Writer, verbs map[string]Verb, inOrder ...string) *server {
	return &server{
		in:      in,
		out:     out,
		slots:   make(chan struct{}, runtime.GOMAXPROCS(0)),
		running: map[uint64]context.CancelFunc{},
		verbs:   verbs,
		inOrder: inOrder,
	}
}

// run serves until standard input ends, then waits for what is still in work.
func (s *server) run() error {
	defer s.working.Wait()
	for {
		body, err := ReadFrame(s.in)
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
	if r.Verb == "cancel" {
		s.send(answer{ID: r.ID, Result: s.cancel(r.Params)})
		return
	}
	if slices.Contains(s.inOrder, r.Verb) {
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
			result = answer{ID: r.ID, Error: &Error{KindPanic, fmt.Sprint("panic: ", p)}}
		}
	}()
	run, ok := s.verbs[r.Verb]
	if !ok {
		result.Error = &Error{KindUsage, fmt.Sprintf("unknown verb %q", r.Verb)}
		return result
	}
	value, err := run(ctx, r.Params)
	if ctx.Err() != nil {
		err = &Error{KindCancelled, "cancelled"}
	}
	if err != nil {
		var known *Error
		if !errors.As(err, &known) {
			known = &Error{KindInternal, err.Error()}
		}
		result.Error = known
		return result
	}
	result.Result = value
	return result
}

func (s *server) send(a answer) {
	body, err := json.Marshal(a)
	if err == nil && len(body) > maxFrameBytes {
		err = fmt.Errorf("an answer of %d bytes is over the limit of %d", len(body), maxFrameBytes)
	}
	if err != nil {
		body, _ = json.Marshal(answer{ID: a.ID, Error: &Error{KindInternal, err.Error()}})
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	// A reader that went away ends standard input too; run returns then.
	_ = WriteFrame(s.out, body)
}

// Hello answers the request of that name with the protocol's version, the verbs, and the versions of what the program
// is linked with.
func Hello(versions map[string]string, verbs map[string]Verb) Verb {
	return func(context.Context, json.RawMessage) (any, error) {
		names := append(slices.Collect(maps.Keys(verbs)), "cancel")
		slices.Sort(names)
		result := map[string]any{"protocol": ProtocolVersion, "go": runtime.Version(), "verbs": names}
		for name, module := range versions {
			result[name] = moduleVersion(module)
		}
		return result, nil
	}
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dependency := range info.Deps {
		if dependency.Path == path {
			return dependency.Version
		}
	}
	return "unknown"
}

// Usage is an error of a request that asks for something that can't be.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return &Error{KindUsage, err.Error()}
}
