package main

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
)

// shapes remembers what Kustomize makes of overlays that differ in values alone. It runs for the first of them, for the
// second, and for the second's markers; if that gives the same objects once the values are put in, it runs no more.
type shapes struct {
	mutex sync.Mutex
	known map[[sha256.Size]byte]*shape
}

// shape is what one kind of overlay becomes. Without templates it is not known, or can't be.
type shape struct {
	mutex     sync.Mutex
	seen      int
	templates []template
}

func (s *shapes) of(key [sha256.Size]byte) *shape {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one := s.known[key]
	if one == nil {
		one = &shape{}
		s.known[key] = one
	}
	return one
}

func newShapes() *shapes { return &shapes{known: map[[sha256.Size]byte]*shape{}} }

// build gives what the overlay's own build gives, without Kustomize where the overlay's shape is known.
func (s *shapes) build(ctx context.Context, o *overlay, judge judging) ([]object, error) {
	marked, err := markOverlay(o)
	if err != nil {
		return o.build(ctx, judge)
	}
	one := s.of(marked.key)
	if templates := one.ready(); templates != nil {
		return judgeAll(ctx, filled(templates, marked.values), judge)
	}
	direct, err := o.build(ctx, judge)
	if err == nil {
		one.learn(func() []template { return learn(o, marked, direct) })
	}
	return direct, err
}

func (s *shape) ready() []template {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.templates
}

// learn keeps the templates of the second overlay of the shape; one that stays alone is not worth them.
func (s *shape) learn(make func() []template) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.seen++; s.seen == 2 {
		s.templates = make()
	}
}

// learn gives the objects with places for values; nil if they do not become the objects that Kustomize made.
func learn(o *overlay, marked *markedOverlay, direct []object) []template {
	files, err := marked.texts()
	if err != nil {
		return nil
	}
	resources, err := o.resources(files)
	if err != nil {
		return nil
	}
	templates := make([]template, 0, len(resources))
	for _, r := range resources {
		one, err := newTemplate(r, marked.values)
		if err != nil {
			return nil
		}
		templates = append(templates, one)
	}
	if !slices.EqualFunc(filled(templates, marked.values), direct, object.equal) {
		return nil
	}
	return templates
}

// filled puts values into templates.
func filled(templates []template, values []any) []object {
	written := newWrittenValues(values)
	objects := make([]object, 0, len(templates))
	for _, one := range templates {
		objects = append(objects, one.fill(written))
	}
	return objects
}
