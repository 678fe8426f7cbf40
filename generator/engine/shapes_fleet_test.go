package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// filesBelow reads the YAML files of a tree of the example fleet (path below the fleet's root -> content).
func filesBelow(t *testing.T, tree string) map[string]string {
	t.Helper()
	root := "../.."
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, tree), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		content, err := os.ReadFile(name)
		files[strings.TrimPrefix(filepath.ToSlash(name), root+"/")] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func byFolder(files map[string]string) map[string]map[string]string {
	folders := map[string]map[string]string{}
	for name, content := range files {
		folder := path.Dir(name)
		if folders[folder] == nil {
			folders[folder] = map[string]string{}
		}
		folders[folder][name] = content
	}
	return folders
}

var markerInFile = regexp.MustCompile(fmt.Sprintf(`"%s(\d{6})"|\b%d\d{6}\b`, markedText, markedNumber/maxMarkers))

// otherValues gives the overlay with values of its own in all places that have a marker.
func otherValues(t *testing.T, o overlay, chance *rand.Rand) *overlay {
	t.Helper()
	marked, err := markOverlay(&o)
	if err != nil {
		t.Fatalf("%s: %v", o.folder, err)
	}
	files, err := marked.texts()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for name, text := range files {
		files[name] = markerInFile.ReplaceAllStringFunc(text, func(marker string) string {
			if values[marker] == "" {
				values[marker] = otherValue(marker, len(values), chance)
			}
			return values[marker]
		})
	}
	o.files = files
	return &o
}

func otherValue(marker string, number int, chance *rand.Rand) string {
	if !strings.HasPrefix(marker, `"`) {
		return fmt.Sprint(chance.IntN(50_000)*1000 + number + 2)
	}
	text := fmt.Sprintf("v%d-%d", number, chance.IntN(1000))
	switch chance.IntN(400) {
	case 0:
		text += "\nsecond: \"line\" # and\n\n  third\n"
	case 1:
		text += ": with a colon and 'quotes' and ünïcode and a tail "
	case 2:
		text = strings.Repeat(text+" ", 25) + "end"
	case 3:
		text = fmt.Sprintf("10.%d.%d.0/24", number, chance.IntN(250))
	case 4:
		text += "\n\n"
	}
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

func TestOverlaysOfTheExampleFleetBecomeWhatKustomizeMakesOfThemWithAnyValues(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	k := newKustomize()
	stored := filesBelow(t, "base")
	params, err := json.Marshal(map[string]any{"files": stored})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.store(context.Background(), params); err != nil {
		t.Fatal(err)
	}
	k.warm.Do(warmUp)
	uses := slices.Sorted(maps.Keys(byFolder(stored)))
	shared, known := k.folders(uses)
	overlays := byFolder(filesBelow(t, "overlays/euw1-a"))
	maps.Copy(overlays, byFolder(filesBelow(t, "overlays/euw1-globex")))
	trusted := 0
	for _, folder := range slices.Sorted(maps.Keys(overlays)) {
		one := overlay{folder, overlays[folder], uses, shared}
		for _, o := range []*overlay{&one, otherValues(t, one, chance), otherValues(t, one, chance)} {
			if isTrusted(known, o) {
				trusted++
			}
			sameObjects(t, folder, o, known, k.judged)
		}
	}
	if len(overlays) < 40 || trusted < len(overlays) {
		t.Errorf("of %d overlays with three values each, %d had a shape that was known", len(overlays), trusted)
	}
}
