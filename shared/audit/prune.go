package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"karri/shared/crash"
	"karri/shared/durable"
)

// An anchor is the last line that was pruned: what is left follows from it. The
// log itself says so, by a line "Prune" that names it, so that who removes the
// beginning of a log has to say that he did.
type anchor = Head

const anchorFile = "anchor"

// readAnchor returns that of the log in a folder; its zero when nothing was
// pruned.
func readAnchor(dir string) (a anchor, err error) {
	b, err := os.ReadFile(filepath.Join(dir, anchorFile))
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		a, err = parseAnchor(b)
	}
	if err != nil {
		err = fmt.Errorf("the anchor of the audit log: %w", err)
	}
	return a, err
}

func parseAnchor(b []byte) (a anchor, err error) {
	if err := json.Unmarshal(b, &a); err != nil {
		return anchor{}, err
	}
	if sum, err := hex.DecodeString(a.Hash); err != nil || len(sum) != sha256.Size || a.Seq == 0 {
		return anchor{}, errors.New("it is none")
	}
	return a, nil
}

// sweep ends a pruning that was cut off: it removes the segments that are whole
// before the anchor.
func (l *Log) sweep() error {
	a, err := readAnchor(l.dir)
	if err != nil || a.Seq == 0 {
		return err
	}
	all, err := segments(l.dir)
	if err != nil {
		return err
	}
	for i, s := range all {
		if i+1 == len(all) || all[i+1].first > a.Seq+1 {
			break
		}
		if err := os.Remove(s.path); err != nil {
			return err
		}
		crash.Here("audit.prune.removed")
	}
	return durable.SyncDir(l.dir)
}

// due counts the oldest segments that are too old, or too much. The one that is
// written never is.
func (l *Log) due(all []segment) (n int, err error) {
	sum := int64(0)
	for i, s := range slices.Backward(all) {
		if sum += s.size; sum > l.o.Keep && i+1 < len(all) {
			n = i + 1
			break
		}
	}
	for l.o.Age > 0 && n+1 < len(all) {
		line, err := endOf(all[n].path)
		if err != nil {
			return n, err
		}
		var last struct{ Time time.Time }
		if line != nil && (json.Unmarshal(line, &last) != nil || l.o.Clock().Sub(last.Time) < l.o.Age) {
			break
		}
		n++
	}
	return n, nil
}

// endOf returns the last line of a segment, nil when there is none.
func endOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	_, line, err := lastLine(f, info.Size())
	return line, err
}

// prune removes what is older or more than is to be kept. First it says so in
// the log, then it keeps the anchor, and then the segments go: cut off anywhere
// in between, the log is whole, and the rest goes when it is opened again.
func (l *Log) prune() error {
	if l.aged() {
		if err := l.turn(l.next()); err != nil {
			return err
		}
	}
	all, err := segments(l.dir)
	if err != nil || l.file == nil {
		return err
	}
	n, err := l.due(all)
	if err != nil || n == 0 {
		return err
	}
	line, err := endOf(all[n-1].path)
	if err != nil {
		return err
	}
	var last Line
	if line == nil || json.Unmarshal(line, &last) != nil {
		return fmt.Errorf("%s does not end with a line", all[n-1].path)
	}
	sum := sha256.Sum256(line)
	a := anchor{Seq: last.Seq, Hash: hex.EncodeToString(sum[:])}
	if err := l.say(&Line{Time: l.o.Clock(), Service: "audit", Action: "Prune", On: []string{strconv.FormatUint(a.Seq, 10), a.Hash},
		Text: fmt.Sprintf("The lines up to %d, of %s, are removed.", a.Seq, last.Time.UTC().Format(time.RFC3339))}); err != nil {
		return err
	}
	crash.Here("audit.prune.noted")
	l.whole.Lock()
	defer l.whole.Unlock()
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(l.dir, anchorFile), b, 0o600); err != nil {
		return err
	}
	crash.Here("audit.prune.anchored")
	return l.sweep()
}

// say writes a line, with all that waits, and syncs it.
func (l *Log) say(line *Line) error {
	l.mu.Lock()
	l.add(line)
	lines, head := l.buf, Head{l.seq, hex.EncodeToString(l.prev[:])}
	l.buf = nil
	l.mu.Unlock()
	if err := l.append(lines); err != nil {
		l.mu.Lock() // it waits with the others
		l.buf = append(lines, l.buf...)
		if len(lines) > 0 {
			l.first = firstOf(lines)
		}
		l.mu.Unlock()
		return err
	}
	l.wrote(head)
	return l.file.Sync()
}

func firstOf(lines []byte) uint64 {
	var head struct{ Seq uint64 }
	end := slices.Index(lines, '\n')
	_ = json.Unmarshal(lines[:end], &head) // we wrote it
	return head.Seq
}

// next is the number that the first line of a new segment will have.
func (l *Log) next() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) > 0 {
		return l.first
	}
	return l.seq + 1
}

// aged reports whether the segment that is written is old enough for another
// one: a log that grows slowly must come to an end of its segments too.
func (l *Log) aged() bool {
	return l.o.Age > 0 && l.file != nil && l.size > 0 && l.o.Clock().Sub(l.begun) >= min(24*time.Hour, l.o.Age/4)
}

// begin finds out when the segment that is gone on with was begun.
func (l *Log) begin(path string) error {
	l.begun = l.o.Clock()
	_, err := walkSegment(path, 0, true, func(v visit) (bool, error) {
		var first struct{ Time time.Time }
		if json.Unmarshal(v.line, &first) == nil && !first.Time.IsZero() {
			l.begun = first.Time
		}
		return false, nil
	})
	return err
}
