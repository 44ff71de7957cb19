package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"karri/shared/action"
)

// A waiter knows how to ask for the state of a noun.
type waiter struct {
	action, ids, list string
	id, state         string   // members of a row
	states            []string // that can be waited for
	ends              []string // from which no other is reached
}

var waits = map[string]waiter{
	"instance": {"DescribeInstances", "InstanceIds", "Reservations", "InstanceId", "State.Name", []string{"running", "stopped", "terminated"}, []string{"terminated"}},
	"volume":   {"DescribeVolumes", "VolumeIds", "Volumes", "VolumeId", "State", []string{"available", "in-use", "attached", "deleted"}, []string{"error"}},
	"snapshot": {"DescribeSnapshots", "SnapshotIds", "Snapshots", "SnapshotId", "State", []string{"completed", "deleted"}, []string{"error"}},
	"image":    {"DescribeImages", "ImageIds", "Images", "ImageId", "State", []string{"available", "deleted"}, []string{"failed", "invalid"}},
}

var errTooLong = errors.New("waited too long")

// afterwards is the state that a verb leads to.
func afterwards(noun, verb string) (state string, ok bool) {
	state, ok = map[string]string{
		"instance run": "running", "instance start": "running", "instance stop": "stopped", "instance terminate": "terminated",
		"volume create": "available", "volume attach": "attached", "volume detach": "available", "volume delete": "deleted",
		"snapshot create": "completed", "snapshot delete": "deleted", "image register": "available", "image deregister": "deleted",
	}[noun+" "+verb]
	return state, ok
}

func isMissing(code string) bool { return strings.Contains(code, "NotFound") || code == "NoSuchEntity" }

func (b *builder) waitCommand(noun string, w waiter) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:       "wait STATE ID...",
		Short:     "Wait until " + plural(noun) + " are " + strings.Join(w.states, ", "),
		Args:      cobra.MinimumNArgs(2),
		ValidArgs: w.states,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(w.states, args[0]) {
				return usageError{fmt.Errorf("%s is not one of %s", args[0], strings.Join(w.states, ", "))}
			}
			return b.await(cmd.Context(), noun, args[0], args[1:], timeout)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "how long to wait")
	return cmd
}

// await asks until each id is in the state, with a line that tells the time and
// what is seen when a person watches.
func (b *builder) await(ctx context.Context, noun, state string, ids []string, most time.Duration) error {
	if len(ids) == 0 {
		return errors.New("nothing to wait for")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, most, errTooLong)
	defer cancel()
	line := progressLine()
	defer line.Finish()
	for pause := 200 * time.Millisecond; ; pause = min(pause*5/4, 2*time.Second) {
		seen, err := b.states(ctx, noun, state, ids)
		if err == nil {
			done, says := judge(waits[noun], seen, state, ids)
			if done || says != nil {
				return says
			}
			line.Describe(strings.Join(distinct(seen), ", "))
		} else if _, refused := errors.AsType[*refusal](err); refused {
			return err
		}
		line.Add(1)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w for %s to be %s: see karri explain %s", context.Cause(ctx), strings.Join(ids, " "), state, ids[0])
		case <-time.After(pause):
		}
	}
}

// judge reports whether all are there, or why they never will be.
func judge(w waiter, seen map[string]string, state string, ids []string) (done bool, err error) {
	done = true
	for _, id := range ids {
		if seen[id] == state {
			continue
		}
		done = false
		if slices.Contains(w.ends, seen[id]) || seen[id] == "deleted" {
			return false, fmt.Errorf("%s is %s and will not be %s: see karri explain %s", id, seen[id], state, id)
		}
	}
	return done, nil
}

// states asks for the state of each id; one that does not exist is "deleted".
func (b *builder) states(ctx context.Context, noun, state string, ids []string) (map[string]string, error) {
	w, seen := waits[noun], map[string]string{}
	for _, id := range ids {
		out, err := b.c.call(ctx, "ec2", w.action, map[string]any{w.ids: []string{id}})
		if r, ok := errors.AsType[*refusal](err); ok && isMissing(r.Code) {
			seen[id] = "deleted"
			continue
		}
		if err != nil {
			return nil, err
		}
		seen[id] = "deleted"
		for _, row := range rowsOf(w.page(), out) {
			seen[id] = at(row, w.state)
			if state == "attached" { // a volume is in use as soon as it is on its way
				seen[id] = at(row, "Attachments.0.State")
			}
		}
	}
	return seen, nil
}

func distinct(seen map[string]string) []string {
	var all []string
	for _, s := range seen {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return all
}

// idsOf returns the ids that an answer is about, or those that were asked for.
func idsOf(noun string, in, out map[string]any) []string {
	w := waits[noun]
	if s := at(out, w.id); s != "" {
		return []string{s}
	}
	if list, ok := out["Instances"].([]any); ok {
		var ids []string
		for _, i := range list {
			ids = append(ids, at(i, w.id))
		}
		return ids
	}
	if s := at(in, w.id); s != "" {
		return []string{s}
	}
	var ids []string
	list, _ := in[w.ids].([]any)
	for _, i := range list {
		ids = append(ids, fmt.Sprint(i))
	}
	return ids
}

func progressLine() *progressbar.ProgressBar {
	var out interface{ Write([]byte) (int, error) } = discard{}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		out = os.Stderr
	}
	return progressbar.NewOptions(-1, progressbar.OptionSetWriter(out), progressbar.OptionSpinnerType(14), progressbar.OptionSetElapsedTime(true), progressbar.OptionClearOnFinish())
}

// page is as much of the manual as rowsOf needs to read a waiter's answer.
func (w waiter) page() action.ManualPage {
	return action.ManualPage{Name: w.action, Lists: []string{w.list}}
}

// settled describes what was waited for, as it is now.
func (b *builder) settled(ctx context.Context, noun string, ids []string) (action.ManualPage, map[string]any, error) {
	w := waits[noun]
	out, err := b.c.call(ctx, "ec2", w.action, map[string]any{w.ids: ids})
	return w.page(), out, err
}
