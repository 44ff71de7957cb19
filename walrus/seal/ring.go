package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"karri/shared/durable"
)

// A Ring holds the master keys, which are lines of a file:
//
//	2026-11-21:BASE64 OF 32 BYTES
//
// The name before the colon is free, and never used again for another key. The
// last line is the current key; new objects are sealed under it, and envelopes
// under the others are rewrapped. A line may be taken away when no
// object and no upload is left under it.
// The file is read again when it has changed; one that cannot be read then
// leaves the keys as they were.
type Ring struct {
	path string

	mu      sync.Mutex
	keys    map[string][keySize]byte
	current string
	seen    time.Time // the file's time of change
	size    int64
}

// OpenRing reads the keys in the file, and makes it with one key when it is
// not there and make is set.
func OpenRing(path string, make bool) (*Ring, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && make {
		var b [keySize]byte
		_, _ = rand.Read(b[:]) // it never fails
		line := fmt.Sprintf("%s:%s\n", time.Now().UTC().Format("2006-01-02T15.04.05"), base64.StdEncoding.EncodeToString(b[:]))
		err = durable.WriteFile(path, []byte(line), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("master keys: %w", err)
	}
	r := &Ring{path: path}
	if _, err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the file if it has changed, and reports whether another key is
// current now.
func (r *Ring) Reload() (changed bool, err error) {
	st, err := os.Stat(r.path)
	if err != nil {
		return false, fmt.Errorf("master keys: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if st.ModTime().Equal(r.seen) && st.Size() == r.size {
		return false, nil
	}
	if st.Mode().Perm()&0o077 != 0 {
		return false, fmt.Errorf("master keys: %s can be read by others: chmod 600 it", r.path)
	}
	b, err := os.ReadFile(r.path)
	if err != nil {
		return false, fmt.Errorf("master keys: %w", err)
	}
	keys, current, err := parseRing(b)
	if err != nil {
		return false, fmt.Errorf("master keys: %s: %w", r.path, err)
	}
	changed = current != r.current
	r.keys, r.current, r.seen, r.size = keys, current, st.ModTime(), st.Size()
	return changed, nil
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// parseRing never repeats what stands in the file in an error.
func parseRing(b []byte) (keys map[string][keySize]byte, current string, err error) {
	keys = map[string][keySize]byte{}
	n := 0
	for line := range bytes.Lines(b) {
		n++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, _ := strings.Cut(text, ":")
		key, err := base64.StdEncoding.DecodeString(value)
		if err != nil || len(key) != keySize || !keyName.MatchString(name) {
			return nil, "", fmt.Errorf("line %d is not NAME:BASE64 of 32 bytes", n)
		}
		if _, twice := keys[name]; twice {
			return nil, "", fmt.Errorf("line %d names a key that stands above", n)
		}
		keys[name], current = [keySize]byte(key), name
	}
	if current == "" {
		return nil, "", errors.New("there is no key in it")
	}
	return keys, current, nil
}

// Several reports whether there are keys besides the current one.
func (r *Ring) Several() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.keys) > 1
}

// Current returns the name of the key that new objects are sealed under.
func (r *Ring) Current() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

func (r *Ring) find(name string) (key [keySize]byte, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, ok = r.keys[name]
	return key, ok
}

// New returns a fresh key and its envelope.
func (r *Ring) New() (*Envelope, *Key) {
	name := r.Current()
	under, _ := r.find(name)
	return wrap(under, Master, name)
}

// Open returns the key in an envelope.
func (r *Ring) Open(e *Envelope) (*Key, error) {
	if e.Mode != Master {
		return nil, errSealed
	}
	under, ok := r.find(e.By)
	if !ok { // another process may know a key that came since
		if _, err := r.Reload(); err != nil {
			return nil, NoMaster.Because(err)
		}
		under, ok = r.find(e.By)
	}
	if !ok {
		return nil, NoMaster.Because(fmt.Errorf("master key %q", e.By))
	}
	k, ok := e.unwrap(under)
	if !ok {
		return nil, Tampered.Because(errors.New("the envelope"))
	}
	return k, nil
}

// Rewrap returns an envelope of the same key under the current master key; nil
// when it is that already.
func (r *Ring) Rewrap(e *Envelope) (*Envelope, error) {
	name := r.Current()
	if e.Mode != Master || e.By == name {
		return nil, nil
	}
	k, err := r.Open(e)
	if err != nil {
		return nil, err
	}
	under, _ := r.find(name)
	return k.wrap(under, Master, name), nil
}
