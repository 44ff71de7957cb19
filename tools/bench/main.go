// Command bench compares two S3 endpoints: how fast they are, and what that
// costs them.
//
// It is a client that costs little, since it shares the machine with what it
// measures: requests are signed before the clock starts and written by hand on
// connections of its own, bodies come from a small pool whose digests are
// known. Every byte of every GET is compared with what was put, every ETag
// with the MD5, and the keys of every listing with those that are there; a
// difference ends the run.
//
// A row is one operation at one concurrency. Its rounds alternate between the
// sides, and what is shown is the median of each figure. CPU is that of the
// server's processes from before the first request until they are at rest
// again, so that work which is left for later is counted too; kernel threads,
// which write for all, are not. An endpoint is given by URL, keys and process
// ids, or started here: walrus (with a stand-in for cloudctl's keys), MinIO on
// one drive, or the plain loop that a GET is held against. Each lives in a
// folder of its own under --state, which is removed in the end; a crash leaves
// that folder behind and nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"karri/shared/config"
)

type settings struct {
	Walrus      string   `flag:"walrus" help:"start the walrus of this path (go build -o PATH ./walrus) and measure it"`
	WalrusFlags []string `flag:"walrus-flags" help:"flags for it, NAME=VALUE without dashes"`
	WalrusEnv   []string `flag:"walrus-env" help:"environment for it, NAME=VALUE"`
	Minio       string   `flag:"minio" help:"start the MinIO of this path on one drive and measure it"`
	Plain       bool     `flag:"plain" help:"start a plain loop that reads, CRC32C-checks and writes a file for each GET, and measure it"`
	A           target   `flag:"a" help:"measure an endpoint that runs: URL,ACCESS-KEY,SECRET[,PID...]"`
	B           target   `flag:"b" help:"the same, of a second one"`

	Rows        string        `flag:"rows" help:"regular expression of the rows to run, e.g. 'put-4k|list'; all when empty"`
	Concurrency []string      `flag:"concurrency" default:"1,16,64" help:"how many requests at a time"`
	Rounds      int           `flag:"rounds" default:"5" help:"rounds of each row"`
	Time        time.Duration `flag:"time" default:"1s" help:"about how long a round takes"`
	Keys        int           `flag:"keys" default:"100000" help:"keys in the bucket that is listed, in 100 prefixes"`
	Restart     bool          `flag:"restart" help:"in the end kill walrus, and time its start until it answers"`
	State       string        `flag:"state" default:"/tmp" help:"folder on the disk to be used, for the folders of what is started"`
	Output      string        `flag:"output" default:"table" help:"table or json"`
	Settle      time.Duration `flag:"settle" default:"5s" help:"how long a server may go on working behind its answers before the next round starts"`
}

var program = config.Program{
	Name:    "bench",
	Purpose: "Compares two S3 endpoints, or measures one: rate, latency, CPU of the server per operation and its memory, with contents compared. The rows: put, sput (with a signed payload) and get of 4k, 64k and 1m, mput and get of 16m (in two parts), list-walk (pages of 1,000), list-first (the first page), list-delimiter (100 common prefixes).",
	Files:   [][2]string{{"STATE/karri-bench-*", "what the servers keep; removed in the end"}},
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == plainMark {
		servePlain(os.Args[2], os.Args[3])
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, config.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var set settings
	left, err := config.Load(program, os.Args[1:], &set)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("unexpected argument %q", left[0])
	}
	if err != nil {
		return err
	}
	if set.Output != "table" && set.Output != "json" {
		return fmt.Errorf("--output is table or json, not %q", set.Output)
	}
	b := &bench{settings: set}
	if b.only, err = regexp.Compile(set.Rows); err != nil {
		return fmt.Errorf("--rows: %w", err)
	}
	for _, c := range set.Concurrency {
		n, err := strconv.Atoi(c)
		if err != nil || n < 1 {
			return fmt.Errorf("--concurrency: %q is not a number of requests", c)
		}
		b.levels = append(b.levels, n)
	}
	dir, err := os.MkdirTemp(set.State, "karri-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	defer b.stop() // before its folders go
	if err := b.start(ctx, dir); err != nil {
		return err
	}
	if err := b.measure(ctx); err != nil {
		return err
	}
	for _, s := range b.sides {
		b.ends = append(b.ends, end{s.name, s.memory("VmRSS"), s.memory("VmHWM")})
	}
	if set.Restart {
		if err := b.restart(ctx); err != nil {
			return err
		}
	}
	return b.report(os.Stdout)
}
