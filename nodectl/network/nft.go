package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"karri/shared/link"
)

// loadRules gives the kernel a text of rules, in a namespace and in one
// transaction: all of it comes into force, or nothing changes.
func loadRules(ctx context.Context, s *link.Space, text string) error {
	_, err := nft(ctx, s, text, "-f", "-")
	return err
}

func nft(ctx context.Context, s *link.Space, input string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var out, trouble bytes.Buffer
	c := exec.CommandContext(ctx, "nft", args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(input), &out, &trouble
	if err := s.Do(c.Start); err != nil {
		return "", fmt.Errorf("start nft in namespace %q: %w", s.Name(), err)
	}
	if err := c.Wait(); err != nil {
		first, _, _ := strings.Cut(trouble.String(), "\n")
		return "", fmt.Errorf("nft %s in namespace %q: %s: %w", strings.Join(args, " "), s.Name(), first, err)
	}
	return out.String(), nil
}

// readCounters adds the named counters of a table to t.
func readCounters(ctx context.Context, s *link.Space, family, table string, t Traffic) error {
	out, err := nft(ctx, s, "", "-j", "list", "counters", "table", family, table)
	if err != nil {
		return err
	}
	var list struct {
		Nftables []struct {
			Counter *struct {
				Name    string `json:"name"`
				Packets uint64 `json:"packets"`
			} `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return fmt.Errorf("read counters of %s %s: %w", family, table, err)
	}
	for _, e := range list.Nftables {
		if e.Counter != nil {
			t[e.Counter.Name] += e.Counter.Packets
		}
	}
	return nil
}
