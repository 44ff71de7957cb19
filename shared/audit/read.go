package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"karri/shared/fault"
)

// place is where a reader stopped, so that the next one need not search.
type place struct {
	head Head
	path string
	off  int64
}

// A Part is a piece of a log as it is taken over by others.
type Part struct {
	Log   string   `json:"log"`   // the id of the log
	Lines []string `json:"lines"` // byte for byte as they are in the log: they are chained
	Head  Head     `json:"head"`  // the last line that was looked at
	More  bool     `json:"more"`  // there are more lines now
	// Pruned are the lines behind the place that were removed, for their age or
	// because there were too many, before they were asked for.
	Pruned uint64 `json:"pruned,omitempty"`
}

// Cut says that the log is not the one that was read before: lines were
// removed, or it was written anew.
var Cut = fault.New(fault.Conflict, "AuditLogCut", "The audit log no longer has the line that was read last, or has another one in its place.")

// most bounds what After looks at, in lines and in bytes of answers.
const (
	mostLines = 20_000
	mostBytes = 4 << 20
)

// After returns the lines behind a place that others take over: all about the
// management of things, and all that were refused. At is checked: Cut is the
// answer where the log has another line there.
func (l *Log) After(at Head) (Part, error) {
	l.whole.RLock()
	defer l.whole.RUnlock()
	p := Part{Log: l.id, Head: at, Lines: []string{}}
	l.mu.Lock()
	upTo, from := l.written, l.at
	l.mu.Unlock()
	if at.Seq > upTo.Seq || at.Seq == upTo.Seq && at.Seq > 0 && at.Hash != "" && at.Hash != upTo.Hash {
		return p, Cut
	}
	if at.Seq == upTo.Seq {
		return p, nil
	}
	if from.head != at || from.path == "" {
		from = place{}
	}
	old, err := readAnchor(l.dir)
	if err != nil {
		return p, err
	}
	looked, size := 0, 0
	err = walk(l.dir, from, at.Seq, func(v visit) (bool, error) {
		switch {
		case v.seq < at.Seq:
			return true, nil
		case v.seq == at.Seq:
			if at.Hash != "" && at.Hash != v.hash() {
				return false, Cut
			}
			return true, nil
		case looked == 0 && v.seq != at.Seq+1:
			if v.seq > old.Seq+1 || at.Seq > old.Seq {
				return false, Cut
			}
			p.Pruned = v.seq - at.Seq - 1
		}
		if v.seq > upTo.Seq || looked == mostLines || size > mostBytes {
			p.More = v.seq <= upTo.Seq
			return false, nil
		}
		looked++
		if taken(v.line) {
			p.Lines = append(p.Lines, string(v.line))
			size += len(v.line)
		}
		p.Head.Seq = v.seq
		from = place{path: v.path, off: v.off + int64(len(v.line)) + 1}
		p.Head.Hash = v.hash()
		return true, nil
	})
	if err != nil {
		return p, err
	}
	from.head = p.Head
	l.mu.Lock()
	l.at = from
	l.mu.Unlock()
	return p, nil
}

// taken reports whether others take a line over. Within a string these pieces
// would have their quotes escaped.
func taken(line []byte) bool {
	head, _, _ := bytes.Cut(line, []byte(`,"params":`)) // there any member may be called anything
	return !bytes.Contains(head, []byte(`,"data":true`)) || bytes.Contains(line, []byte(`,"code":"`))
}

// A visit is a line that walk is at. line is good until the next one.
type visit struct {
	seq  uint64
	prev string
	line []byte
	path string
	off  int64
}

func (v visit) hash() string {
	sum := sha256.Sum256(v.line)
	return hex.EncodeToString(sum[:])
}

// walk calls each for the lines of a log, from a place or from the segment that
// may hold the number on.
func walk(dir string, from place, seq uint64, each func(visit) (more bool, err error)) error {
	all, err := segments(dir)
	if err != nil {
		return err
	}
	for i, s := range all {
		off := int64(0)
		if from.path != "" {
			if s.path < from.path {
				continue
			}
			if s.path == from.path {
				off = from.off
			}
		} else if i+1 < len(all) && all[i+1].first <= seq {
			continue
		}
		if more, err := walkSegment(s.path, off, i == len(all)-1, each); err != nil || !more {
			return err
		}
	}
	return nil
}

func walkSegment(path string, off int64, last bool, each func(visit) (bool, error)) (more bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil // removed since it was listed
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		return false, err
	}
	r := bufio.NewReaderSize(f, 256<<10)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			if len(line) > 0 && !last {
				return each(visit{line: line, path: path, off: off}) // torn in the middle of the log
			}
			return true, nil
		}
		if err != nil {
			return false, err
		}
		v := visit{line: line[:len(line)-1], path: path, off: off}
		var head struct {
			Seq  uint64
			Prev string
		}
		if json.Unmarshal(v.line, &head) == nil {
			v.seq, v.prev = head.Seq, head.Prev
		}
		if more, err := each(v); err != nil || !more {
			return false, err
		}
		off += int64(len(line))
	}
}

// A Report is what Verify found.
type Report struct {
	Log      string   `json:"log"`
	Lines    uint64   `json:"lines"`
	First    uint64   `json:"first"`
	Last     Head     `json:"last"`
	Problems []string `json:"problems"` // none: the chain is whole
}

const mostProblems = 20

// Verify reads the log in a folder and checks its chain, and that it has the
// lines that are known of it.
func Verify(dir string, known ...Head) (Report, error) {
	r := Report{Problems: []string{}}
	say := func(format string, args ...any) {
		if len(r.Problems) < mostProblems {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	}
	id, err := os.ReadFile(filepath.Join(dir, "id"))
	if err != nil {
		return r, fmt.Errorf("verify the audit log: %w", err)
	}
	r.Log = string(id)
	want := map[uint64]string{}
	for _, k := range known {
		if k.Seq > 0 && k.Hash != "" {
			want[k.Seq] = k.Hash
		}
	}
	old, err := readAnchor(dir)
	if err != nil {
		say("%v", err)
	}
	said := old.Seq == 0
	err = walk(dir, place{}, 0, func(v visit) (bool, error) {
		hash := v.hash()
		said = said || says(v.line, old)
		switch {
		case v.seq == 0:
			say("%s has at byte %d what is no line", filepath.Base(v.path), v.off)
			return true, nil
		case r.Lines == 0:
			r.First = v.seq
			if why := beginning(r.Log, old, v); why != "" {
				say("%s", why)
			}
		case v.seq != r.Last.Seq+1:
			say("line %d comes after line %d", v.seq, r.Last.Seq)
		case v.prev != r.Last.Hash:
			say("line %d does not follow from the line before: one of them was changed", v.seq)
		}
		if v.seq == old.Seq && hash != old.Hash {
			say("line %d is not the one that is kept as the last that was pruned", v.seq)
		}
		if h := want[v.seq]; h != "" && h != hash {
			say("line %d is not the one that was seen there", v.seq)
		}
		delete(want, v.seq)
		r.Lines++
		r.Last = Head{v.seq, hash}
		return true, nil
	})
	if !said {
		say("the lines up to %d are gone, and the log does not say that they were pruned", old.Seq)
	}
	for seq := range want {
		if seq > r.Last.Seq {
			say("line %d, which was seen, is gone: the log ends with line %d", seq, r.Last.Seq)
		}
	}
	return r, err
}

// beginning says what is wrong with the first line that a log has; "": nothing.
func beginning(id string, old anchor, v visit) string {
	begin := genesis(id)
	switch {
	case v.seq == 1 && v.prev != hex.EncodeToString(begin[:]):
		return "the first line is not that of this log"
	case v.seq == old.Seq+1 && old.Seq > 0 && v.prev != old.Hash:
		return fmt.Sprintf("line %d does not follow from the last line that was pruned", v.seq)
	case v.seq > old.Seq+1:
		return fmt.Sprintf("the lines before line %d are gone, and were not pruned", v.seq)
	}
	return ""
}

// says reports whether a line tells that the log was pruned up to there.
func says(line []byte, old anchor) bool {
	if !bytes.Contains(line, []byte(`,"service":"audit","action":"Prune"`)) {
		return false
	}
	var l Line
	return json.Unmarshal(line, &l) == nil && l.Action == "Prune" && slices.Equal(l.On, []string{strconv.FormatUint(old.Seq, 10), old.Hash})
}

// Verify checks the log that is written here.
func (l *Log) Verify(known ...Head) (Report, error) {
	l.whole.RLock()
	defer l.whole.RUnlock()
	return Verify(l.dir, known...)
}
