package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tenantry.io/wire"
)

func listed(t *testing.T, root string) *treeListing {
	t.Helper()
	params, _ := json.Marshal(map[string]any{"root": []byte(root), "trees": []string{"base", "rendered"}})
	answer, err := listTrees(context.Background(), params)
	if err != nil {
		t.Fatal(err)
	}
	return answer.(*treeListing)
}

func put(t *testing.T, root, file, content string) string {
	t.Helper()
	path := filepath.Join(root, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFoldersWithFilesAreListedAndWhatCannotBeOursIsToldApart(t *testing.T) {
	root := t.TempDir()
	put(t, root, "rendered/a/b/two.yaml", "2")
	put(t, root, "rendered/a/b/one.yaml", "1")
	put(t, root, "rendered/a/folder.yaml/x", "")
	put(t, root, "rendered/a/odd\xff", "")
	put(t, root, "elsewhere/x.yaml", "")
	if err := os.Symlink(filepath.Join(root, "elsewhere"), filepath.Join(root, "rendered/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "elsewhere"), filepath.Join(root, "base")); err != nil {
		t.Fatal(err)
	}
	listing := listed(t, root)
	if folders := slices.Collect(maps.Keys(listing.Folders)); !slices.Equal(folders, []string{"rendered/a/b"}) {
		t.Errorf("folders %q", folders)
	}
	if names := listing.Folders["rendered/a/b"].Names; !slices.Equal(names, []string{"one.yaml", "two.yaml"}) {
		t.Errorf("names %q", names)
	}
	found := []string{}
	for _, path := range listing.Strangers {
		found = append(found, string(path))
	}
	if !slices.Equal(found, []string{"base", "rendered/a/folder.yaml", "rendered/a/odd\xff", "rendered/link"}) {
		t.Errorf("strangers %q", found)
	}
}

func TestTheFingerprintChangesWheneverAFileIsTouched(t *testing.T) {
	root := t.TempDir()
	path := put(t, root, "rendered/a/one.yaml", "1")
	old := time.Now().Add(-time.Hour)
	_ = os.Chtimes(path, old, old)
	before := listed(t, root).Folders["rendered/a"].Fingerprint
	if again := listed(t, root).Folders["rendered/a"].Fingerprint; again != before {
		t.Error("it changed by itself")
	}
	put(t, root, "rendered/a/one.yaml", "2")
	_ = os.Chtimes(path, old, old) // size and date are as they were
	if after := listed(t, root).Folders["rendered/a"].Fingerprint; after == before {
		t.Error("it did not change")
	}
}

func TestAFolderThatCannotBeReadIsNamed(t *testing.T) {
	listing := &treeListing{root: t.TempDir(), Folders: map[string]folderListing{}}
	path := put(t, listing.root, "rendered", "")
	listing.list("rendered")
	var known *wire.Error
	if !errors.As(listing.failed, &known) || known.Kind != wire.KindFiles || known.Message != path+" can't be read: not a directory" {
		t.Errorf("%v", listing.failed)
	}
}
