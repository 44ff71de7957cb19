// Package leak looks for secrets where none may be: in the files and processes
// of a cloud, and in what it answers.
//
// A secret is looked for as it is, in hexadecimal, in base64 (also as a part of
// something longer) and as part of a URL. Where a secret is at home, in the file
// of a key for example, is said with it; all other places are leaks. It keeps
// nothing, and reads only.
package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// least is how long a secret is, so that it is nowhere by chance.
const least = 8

// A Hunt knows secrets and looks for them.
type Hunt struct {
	secrets []secret
	begins  map[uint64][]pattern // by their first bytes
	filter  [1 << 16]bool        // of begins
	longest int                  // of all patterns
	found   []string
	texts   int
	bytes   int64
}

type secret struct {
	what  string
	homes []string
}

type pattern struct {
	text []byte
	form string
	of   int // the secret
}

// Add makes a secret known. Its homes are files where it may be, as patterns of
// package path: of a file's place below the folder that is searched, or of the
// file's name alone.
func (h *Hunt) Add(what string, value []byte, homes ...string) error {
	if len(value) < least {
		return fmt.Errorf("%s: a secret of %d bytes cannot be told from chance", what, len(value))
	}
	h.secrets = append(h.secrets, secret{what, homes})
	for block, rest := pem.Decode(value); block != nil; block, rest = pem.Decode(rest) {
		if strings.Contains(block.Type, "PRIVATE KEY") {
			h.key(value, block.Bytes)
			return nil
		}
	}
	h.forms(value)
	return nil
}

// key adds a private key: its bytes, of which the last are of the key itself,
// and the lines of its text, but for those that are the same in many keys.
func (h *Hunt) key(text, der []byte) {
	if len(der) > 64 {
		der = der[len(der)-64:]
	} else if len(der) > 32 {
		der = der[len(der)-32:] // the seed of an Ed25519 key
	}
	h.forms(der)
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) >= 64 && !bytes.HasPrefix(line, []byte("-----")) && !bytes.HasPrefix(line, []byte("b3BlbnNzaC1rZXk")) {
			h.pattern("a line", line)
		}
	}
}

// forms adds all ways to write a value.
func (h *Hunt) forms(value []byte) {
	h.pattern("as it is", value)
	lower := hex.EncodeToString(value)
	h.pattern("in hexadecimal", []byte(lower))
	h.pattern("in hexadecimal", []byte(strings.ToUpper(lower)))
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 { // bytes that stand before it, by which the letters move
			text := enc.EncodeToString(append(make([]byte, before), value...))
			h.pattern("in base64", []byte(text[(before*8+5)/6:(before+len(value))*8/6]))
		}
	}
	for _, text := range []string{url.QueryEscape(string(value)), url.PathEscape(string(value))} {
		h.pattern("as part of a URL", []byte(text))
	}
}

func (h *Hunt) pattern(form string, text []byte) {
	if h.begins == nil {
		h.begins = map[uint64][]pattern{}
	}
	h.longest = max(h.longest, len(text))
	begin := binary.LittleEndian.Uint64(text)
	for _, p := range h.begins[begin] {
		if bytes.Equal(p.text, text) && p.of == len(h.secrets)-1 {
			return
		}
	}
	h.begins[begin] = append(h.begins[begin], pattern{bytes.Clone(text), form, len(h.secrets) - 1})
	h.filter[slot(begin)] = true
}

func slot(begin uint64) uint16 { return uint16(begin * 0x9e3779b97f4a7c15 >> 48) }

// Text looks into an answer, or anything else that is no file.
func (h *Hunt) Text(where string, text []byte) {
	h.texts++
	h.look(where, "", text, map[int]bool{})
}

// piece is how much of a file is looked at, at once.
const piece = 1 << 20

// stream looks into a file of any length.
func (h *Hunt) stream(name string, r io.Reader) error {
	h.texts++
	told := map[int]bool{}
	b := make([]byte, 0, piece+h.longest)
	for {
		n, err := io.ReadFull(r, b[len(b):len(b)+piece])
		b = b[:len(b)+n]
		h.look(name, name, b, told)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
		b = b[:copy(b, b[max(0, len(b)-h.longest+1):])] // what may be the beginning of a secret
	}
}

// look notes each secret that is in a text, was not told of it, and is not at
// home in the file.
func (h *Hunt) look(where, file string, text []byte, told map[int]bool) {
	h.bytes += int64(len(text))
	for i := 0; i+least <= len(text); i++ {
		begin := binary.LittleEndian.Uint64(text[i:])
		if !h.filter[slot(begin)] {
			continue
		}
		for _, p := range h.begins[begin] {
			if !told[p.of] && bytes.HasPrefix(text[i:], p.text) && (file == "" || !h.secrets[p.of].lives(file)) {
				told[p.of] = true
				h.found = append(h.found, fmt.Sprintf("%s is in %s, %s", h.secrets[p.of].what, where, p.form))
			}
		}
	}
}

func (s secret) lives(file string) bool { return matches(s.homes, file) }

func matches(patterns []string, file string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		whole, _ := path.Match(p, file)
		name, _ := path.Match(p, path.Base(file))
		return whole || name
	})
}

// Files looks into all files below dir, but for those that the patterns mean,
// which are given as homes are.
func (h *Hunt) Files(dir string, but ...string) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // it went meanwhile
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if matches(but, name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		f, err := os.Open(file)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return h.stream(name, f)
	})
}

// Processes looks into the arguments and the environment of all processes whose
// arguments name something, and of others by their ids; it returns their
// programs.
func (h *Hunt) Processes(naming string, others ...int) (programs []string, err error) {
	all, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		args, err := os.ReadFile(filepath.Join("/proc", p.Name(), "cmdline"))
		if err != nil || !bytes.Contains(args, []byte(naming)) && !slices.Contains(others, pid) {
			continue
		}
		program, _, _ := bytes.Cut(args, []byte{0})
		programs = append(programs, filepath.Base(string(program)))
		h.Text(fmt.Sprintf("the arguments of process %d, %s", pid, program), args)
		env, err := os.ReadFile(filepath.Join("/proc", p.Name(), "environ"))
		if err == nil {
			h.Text(fmt.Sprintf("the environment of process %d, %s", pid, program), env)
		}
	}
	return programs, nil
}

// Found returns the leaks, each as a sentence.
func (h *Hunt) Found() []string { return h.found }

// String tells what was looked for, and where.
func (h *Hunt) String() string {
	return fmt.Sprintf("looked for %d secrets in %d texts of %d KiB, and found them %d times", len(h.secrets), h.texts, h.bytes>>10, len(h.found))
}
