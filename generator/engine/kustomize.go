package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
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
	shared map[string]map[string]string // folder -> path -> content
	warm   sync.Once

	catalog *catalog
}

func newKustomize() *kustomize {
	return &kustomize{shared: map[string]map[string]string{}, catalog: newCatalog()}
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
	shared := map[string]map[string]string{}
	for name, content := range input.Files {
		if err := checkPath(name); err != nil {
			return nil, wire.Usage(err)
		}
		folder := path.Dir(name)
		if shared[folder] == nil {
			shared[folder] = map[string]string{}
		}
		shared[folder][name] = content
	}
	k.mutex.Lock()
	k.shared = shared
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
	files, err := k.fileSystem(input.Files, input.Uses)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	k.warm.Do(warmUp)
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/"+input.Path)
	if err != nil {
		return nil, &wire.Error{Kind: wire.KindBuild, Message: err.Error()}
	}
	objects := make([]object, 0, resources.Size())
	for _, r := range resources.Resources() {
		o, err := k.describe(ctx, r)
		if err != nil {
			return nil, &wire.Error{Kind: wire.KindBuild, Message: err.Error()}
		}
		objects = append(objects, o)
	}
	return map[string]any{"objects": objects}, nil
}

func (k *kustomize) fileSystem(own map[string]string, uses []string) (filesys.FileSystem, error) {
	memory := filesys.MakeFsInMemory()
	k.mutex.RLock()
	shared := k.shared
	k.mutex.RUnlock()
	for _, folder := range uses {
		for name, content := range shared[folder] {
			if err := memory.WriteFile("/"+name, []byte(content)); err != nil {
				return nil, err
			}
		}
	}
	for name, content := range own {
		if err := checkPath(name); err != nil {
			return nil, wire.Usage(err)
		}
		if err := memory.WriteFile("/"+name, []byte(content)); err != nil {
			return nil, err
		}
	}
	return memory, nil
}

func (k *kustomize) describe(ctx context.Context, r *resource.Resource) (object, error) {
	id := r.CurId()
	text, err := canonicalYAML(r.YNode())
	if err != nil {
		return object{}, fmt.Errorf("%s: %w", id, err)
	}
	content, err := value(r.YNode())
	if err != nil {
		return object{}, fmt.Errorf("%s: %w", id, err)
	}
	fields, _ := content.(map[string]any)
	judged, err := k.catalog.judge(ctx, id.Group, id.Version, id.Kind, fields, allowanceForOne())
	if err != nil {
		return object{}, err
	}
	// CurId reads "no namespace" as "default" for some kinds; the object's own field counts.
	return object{id.Group, id.Version, id.Kind, r.GetNamespace(), id.Name, text, fields, judged, syntaxProblems(id.Group, id.Kind, fields)}, nil
}

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
