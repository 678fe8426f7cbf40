package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"tenantry.io/wire"
)

// folderListing is what one folder holds: names of its files, and a fingerprint of their sizes, times and inodes.
type folderListing struct {
	Names       []string `json:"names"`
	Fingerprint string   `json:"fingerprint"`
}

// treeListing is the content of some trees. Paths are bytes where they need not be text.
type treeListing struct {
	mutex     sync.Mutex
	working   sync.WaitGroup
	slots     chan struct{}
	root      string
	failed    error
	Folders   map[string]folderListing `json:"folders"`
	Strangers [][]byte                 `json:"strangers"` // links, special files, names that are not text, folders named like files
}

// listTrees lists the folders of a root that hold files, without following links. Ten thousands of files are looked at,
// so it is done here, beside what the peer does meanwhile.
func listTrees(_ context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Root  []byte   `json:"root"`
		Trees []string `json:"trees"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	listing := &treeListing{
		root: string(input.Root), slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
		Folders: map[string]folderListing{}, Strangers: [][]byte{},
	}
	for _, tree := range input.Trees {
		info, err := os.Lstat(filepath.Join(listing.root, tree))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			listing.fail(err)
		case !info.IsDir():
			listing.strange(tree)
		default:
			listing.walk(tree)
		}
	}
	listing.working.Wait()
	if listing.failed != nil {
		return nil, listing.failed
	}
	slices.SortFunc(listing.Strangers, slices.Compare)
	return listing, nil
}

func (l *treeListing) walk(folder string) {
	l.working.Add(1)
	go func() {
		defer l.working.Done()
		l.slots <- struct{}{}
		inner := l.list(folder)
		<-l.slots
		for _, name := range inner {
			l.walk(folder + "/" + name)
		}
	}()
}

// list notes the files of one folder and gives the names of its folders. The fingerprint holds the change time, which
// no program can set, so a file that was changed and given its old date is noticed too.
func (l *treeListing) list(folder string) (inner []string) {
	path := l.root + "/" + folder
	opened, err := os.Open(path)
	if err != nil {
		l.fail(err)
		return nil
	}
	defer opened.Close()
	entries, err := opened.ReadDir(-1)
	if err != nil {
		l.fail(err)
		return nil
	}
	slices.SortFunc(entries, func(one, other os.DirEntry) int { return strings.Compare(one.Name(), other.Name()) })
	names := make([]string, 0, len(entries))
	digest := sha256.New()
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case !utf8.ValidString(name):
			l.strange(folder + "/" + name)
		case entry.Type().IsRegular():
			var stat unix.Stat_t
			// By its folder: walking the whole path again for each file takes most of the time.
			if err := unix.Fstatat(int(opened.Fd()), name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				l.fail(&fs.PathError{Op: "lstat", Path: path + "/" + name, Err: err})
				continue
			}
			if stat.Mode&unix.S_IFMT != unix.S_IFREG {
				l.strange(folder + "/" + name)
				continue
			}
			names = append(names, name)
			fmt.Fprintf(digest, "%s\x00%d %d %d %d\n", name, stat.Size, stat.Mtim.Nano(), stat.Ctim.Nano(), stat.Ino)
		case entry.IsDir() && !strings.HasSuffix(name, ".yaml"):
			inner = append(inner, name)
		default:
			l.strange(folder + "/" + name)
		}
	}
	if len(names) > 0 {
		l.mutex.Lock()
		l.Folders[folder] = folderListing{names, hex.EncodeToString(digest.Sum(nil)[:16])}
		l.mutex.Unlock()
	}
	return inner
}

func (l *treeListing) strange(path string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.Strangers = append(l.Strangers, []byte(path))
}

// fail keeps the first failure. A file that is removed while it is listed counts as missing.
func (l *treeListing) fail(err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.failed == nil {
		message := err.Error()
		var known *fs.PathError
		if errors.As(err, &known) {
			message = fmt.Sprintf("%s can't be read: %s", known.Path, known.Err)
		}
		l.failed = &wire.Error{Kind: wire.KindFiles, Message: message}
	}
}
