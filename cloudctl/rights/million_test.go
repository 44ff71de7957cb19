package rights

import (
	"database/sql"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// many is how many access keys BenchmarkManyKeys has; the number is
// 1,000,000: go test ./cloudctl/rights -run none -bench ManyKeys -benchtime 1x -keys 1000000
var many = flag.Int("keys", 20_000, "access keys of BenchmarkManyKeys")

// fill makes users with a key each, in the groups of the typical user. So many
// rows are made by the database itself.
func (w *world) fill(from, n int) {
	w.Helper()
	d, err := sql.Open("sqlite", w.path)
	if err != nil {
		w.Fatal(err)
	}
	defer d.Close()
	sealed := w.vault.Seal("x", "x")
	const numbers = "WITH RECURSIVE c(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM c WHERE n + 1 < ?) "
	for _, insert := range []string{
		"INSERT INTO users (id, account, name, folded, path, boundary, tags, created) " + numbers +
			"SELECT printf('AIDA%016d', n), '" + acct + "', printf('%016d', n), printf('%016d', n), '/', '', '[]', '2026-11-21 12:00:00+00:00' FROM c",
		"INSERT INTO members (user, user_group, account) " + numbers + "SELECT printf('AIDA%016d', n), printf('AGPA%d', n % 3), '" + acct + "' FROM c",
		"INSERT INTO access_keys (id, account, user, sealed, active, created) " + numbers +
			"SELECT printf('AKIA%016d', n), '" + acct + "', printf('AIDA%016d', n), x'" + hex.EncodeToString(sealed) + "', 1, '2026-11-21 12:00:00+00:00' FROM c",
	} {
		if _, err := d.Exec(insert, from, n); err != nil {
			w.Fatal(err)
		}
	}
}

// quietest is latency in the quietest of five times: what else the machine does
// must not pass for what the keys cost.
func (w *world) quietest(rounds, n int, salt uint64) (p50, p99 time.Duration) {
	p50, p99 = w.latency(rounds, n, salt)
	for more := range uint64(4) {
		a, b := w.latency(rounds, n, salt+100*(more+1))
		p50, p99 = min(p50, a), min(p99, b)
	}
	return p50, p99
}

// latency resolves keys at random out of the first n, and returns the median
// and the 99th percentile.
func (w *world) latency(rounds, n int, salt uint64) (p50, p99 time.Duration) {
	r := rand.New(rand.NewPCG(1, salt))
	all := make([]time.Duration, rounds)
	for i := range all {
		key := fmt.Sprintf("AKIA%016d", r.IntN(n))
		start := time.Now()
		found, err := w.cache.resolve(w.Context(), key, "")
		if err != nil && !strings.Contains(err.Error(), "does not open") {
			w.Fatal(err)
		}
		found.Secret = "x"
		if _, err := w.cache.keep(key, found, [32]byte{}, w.now, w.cache.drops.Load()); err != nil {
			w.Fatal(err)
		}
		all[i] = time.Since(start)
	}
	slices.Sort(all)
	return all[rounds/2], all[rounds*99/100]
}

// resident returns the resident memory of the process in bytes, after what can
// be given back was.
func resident(b testing.TB) int64 {
	b.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// BenchmarkManyKeys says by how much memory grows from a thousand keys to many,
// after many different ones were used, and what a warm and a cold key cost in
// the quietest of five times.
func BenchmarkManyKeys(b *testing.B) {
	w := newWorld(b)
	next, v := w.signedRequest(w.typicalUser("ann"), "secret of ann"), w.verifier()
	once := func() time.Duration {
		all := make([]time.Duration, 4000)
		for i := range all {
			r := next()
			start := time.Now()
			if err := w.decide(v, r); err != nil {
				b.Fatal(err)
			}
			all[i] = time.Since(start)
		}
		slices.Sort(all)
		return all[len(all)*99/100]
	}
	warm := func() time.Duration { return min(once(), once(), once(), once(), once()) }
	w.fill(0, 1000)
	w.latency(2000, 1000, 1)
	before, warmBefore := resident(b), warm()
	coldBefore, coldBefore99 := w.quietest(2000, 1000, 2)
	w.fill(1000, *many)
	w.latency(15_000, *many, 3)
	after, warmAfter := resident(b), warm()
	coldAfter, coldAfter99 := w.quietest(2000, *many, 4)
	b.ReportMetric(float64(after-before)/(1<<20), "MiB-grown")
	b.ReportMetric(float64(warmBefore.Microseconds()), "warm-p99-us-1000")
	b.ReportMetric(float64(warmAfter.Microseconds()), "warm-p99-us-many")
	b.ReportMetric(float64(coldBefore.Microseconds()), "cold-p50-us-1000")
	b.ReportMetric(float64(coldAfter.Microseconds()), "cold-p50-us-many")
	b.ReportMetric(float64(coldBefore99.Microseconds()), "cold-p99-us-1000")
	b.ReportMetric(float64(coldAfter99.Microseconds()), "cold-p99-us-many")
	b.Logf("%d entries, %d documents", len(w.cache.known), w.cache.shares.Len())
}
