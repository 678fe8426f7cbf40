package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"tenantry.io/wire"
)

// kustomize builds overlays in memory. Files that many builds share are sent once with "store".
type kustomize struct {
	mutex  sync.RWMutex
	shared map[string]*sharedFolder
	shapes *shapes // of overlays of what is stored
	warm   sync.Once

	catalog *catalog
}

// sharedFolder holds files (path -> content), and the values that they hold (nil: not known).
type sharedFolder struct {
	files map[string]string
	words func() map[string]bool
}

func newKustomize() *kustomize {
	return &kustomize{shapes: newShapes(), catalog: newCatalog()}
}

// object is one resource: its identity, its value, its canonical YAML when it was built,
// and the verdict of its kind's definition (none for kinds built into the API server).
type object struct {
	Group     string `json:"group"`
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	YAML      string `json:"yaml,omitempty"`

	Value   map[string]any `json:"value,omitempty"`
	Verdict *verdict       `json:"verdict,omitempty"`
	Syntax  []problem      `json:"syntax,omitempty"` // fields whose text an operator could not parse
}

// store keeps files (path below the root -> content) for every later build; it replaces what was stored.
func (k *kustomize) store(_ context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Files map[string]string `json:"files"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	shared := map[string]*sharedFolder{}
	for name, content := range input.Files {
		if err := checkPath(name); err != nil {
			return nil, wire.Usage(err)
		}
		one := shared[path.Dir(name)]
		if one == nil {
			files := map[string]string{}
			one = &sharedFolder{files, sync.OnceValue(func() map[string]bool { return fixedWords(files) })}
			shared[path.Dir(name)] = one
		}
		one.files[name] = content
	}
	k.mutex.Lock()
	k.shared, k.shapes = shared, newShapes()
	k.mutex.Unlock()
	return map[string]int{"files": len(input.Files)}, nil
}

// build runs Kustomize on one directory of the given files; of the stored ones it sees the named folders.
func (k *kustomize) build(ctx context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Path  string            `json:"path"`
		Files map[string]string `json:"files"`
		Uses  []string          `json:"uses"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	if err := checkPath(input.Path); err != nil {
		return nil, wire.Usage(err)
	}
	for name := range input.Files {
		if err := checkPath(name); err != nil {
			return nil, wire.Usage(err)
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	k.warm.Do(warmUp)
	shared, known := k.folders(input.Uses)
	objects, err := known.build(ctx, &overlay{input.Path, input.Files, input.Uses, shared}, k.judged)
	if err != nil {
		return nil, err
	}
	return map[string]any{"objects": objects}, nil
}

// folders gives the named folders of those that are stored, and the shapes of overlays on them.
func (k *kustomize) folders(names []string) ([]*sharedFolder, *shapes) {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	folders := make([]*sharedFolder, 0, len(names))
	for _, name := range names {
		if folder := k.shared[name]; folder != nil {
			folders = append(folders, folder)
		}
	}
	return folders, k.shapes
}

// overlay is a folder to build, with its files and those that it uses.
type overlay struct {
	folder string
	files  map[string]string
	uses   []string
	shared []*sharedFolder
}

// resources runs Kustomize on the overlay, or on other files in the place of its own.
func (o *overlay) resources(files map[string]string) ([]*resource.Resource, error) {
	memory := filesys.MakeFsInMemory()
	for _, folder := range o.shared {
		if err := write(memory, folder.files); err != nil {
			return nil, err
		}
	}
	if err := write(memory, files); err != nil {
		return nil, err
	}
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(memory, "/"+o.folder)
	if err != nil {
		return nil, buildError(err)
	}
	return made.Resources(), nil
}

func write(memory filesys.FileSystem, files map[string]string) error {
	for name, content := range files {
		if err := memory.WriteFile("/"+name, []byte(content)); err != nil {
			return err
		}
	}
	return nil
}

// build gives the overlay's objects as Kustomize makes them.
func (o *overlay) build(ctx context.Context, judge judging) ([]object, error) {
	resources, err := o.resources(o.files)
	if err != nil {
		return nil, err
	}
	objects := make([]object, 0, len(resources))
	for _, r := range resources {
		one, err := described(r)
		if err != nil {
			return nil, buildError(fmt.Errorf("%s: %w", r.CurId(), err))
		}
		objects = append(objects, one)
	}
	return judgeAll(ctx, objects, judge)
}

func described(r *resource.Resource) (object, error) {
	text, err := canonicalYAML(r.YNode())
	if err != nil {
		return object{}, err
	}
	content, err := value(r.YNode())
	if err != nil {
		return object{}, err
	}
	fields, _ := content.(map[string]any)
	id := r.CurId()
	// CurId reads "no namespace" as "default" for some kinds; the object's own field counts.
	return object{Group: id.Group, Version: id.Version, Kind: id.Kind, Namespace: r.GetNamespace(), Name: id.Name, YAML: text, Value: fields}, nil
}

// equal reports whether two objects are the same, whatever was said of them.
func (o object) equal(other object) bool {
	o.Verdict, other.Verdict, o.Syntax, other.Syntax = nil, nil, nil, nil
	return reflect.DeepEqual(o, other)
}

// judging adds the verdict on an object.
type judging func(context.Context, object) (object, error)

func judgeAll(ctx context.Context, objects []object, judge judging) ([]object, error) {
	for i, one := range objects {
		judged, err := judge(ctx, one)
		if err != nil {
			return nil, buildError(err)
		}
		objects[i] = judged
	}
	return objects, nil
}

func (k *kustomize) judged(ctx context.Context, o object) (object, error) {
	var err error
	o.Verdict, err = k.catalog.judge(ctx, o.Group, o.Version, o.Kind, o.Value, allowanceForOne())
	o.Syntax = syntaxProblems(o.Group, o.Kind, o.Value)
	return o, err
}

func buildError(err error) error { return &wire.Error{Kind: wire.KindBuild, Message: err.Error()} }

// checkPath rejects paths that could leave the in-memory root.
func checkPath(name string) error {
	if name == "" || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") {
		return fmt.Errorf("%q is not a clean relative path", name)
	}
	return nil
}

// warmUp parses Kustomize's built-in OpenAPI data, a process-wide value, before builds run side by side.
func warmUp() {
	memory := filesys.MakeFsInMemory()
	_ = memory.WriteFile("/kustomization.yaml", []byte("namespace: n\nresources: [a.yaml]\n"))
	_ = memory.WriteFile("/a.yaml", []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"))
	_, _ = krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(memory, "/")
}
