// Package life brings things to the state that is wanted of them.
//
// Every loop in this cloud works the same way. For one thing at a time it
//
//	looks   reads all that is known: what is wanted, and what is there,
//	next    picks one step by a pure function of what it saw,
//	does    the step, which must be harmless when done twice,
//
// and then looks again until there is nothing to do. No step trusts memory, so
// a crash between any two lines costs only the time to look again. Making and
// unmaking are the same loop: there is no undo code, only another wish.
//
// A loop runs when nudged and also every so often. A nudge says that something
// may have changed, never what; so a lost nudge costs time and nothing else.
package life

import (
	"context"
	"errors"
	"fmt"
)

// A Step is one small change to the world. A Step without Do changes nothing:
// its Name says what the thing is waiting for (see Wait).
type Step[T any] struct {
	Name string
	Do   func(ctx context.Context, t T) error
}

// Wait returns the step of a thing that can only wait; for says for what, in
// words that an administrator reads in explain.
func Wait[T any](format string, args ...any) *Step[T] {
	return &Step[T]{Name: fmt.Sprintf(format, args...)}
}

// A Kind is a sort of thing that a loop looks after.
type Kind[T any] struct {
	Name string
	List func(ctx context.Context) ([]string, error)
	Look func(ctx context.Context, id string) (T, error) // all that is known: the wish and the world
	Next func(t T) *Step[T]                              // pure; nil when the thing is at rest
}

// maxSteps stops a Next that never comes to rest.
const maxSteps = 64

// Settle takes the thing called id as far as it will go now.
func (k Kind[T]) Settle(ctx context.Context, id string) error {
	_, err := k.settle(ctx, id)
	return err
}

// settle is Settle that also returns the name of the last step: the one that
// failed or is waited for, "" at rest.
func (k Kind[T]) settle(ctx context.Context, id string) (string, error) {
	for range maxSteps {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		t, err := k.Look(ctx, id)
		if err != nil {
			return "look", fmt.Errorf("%s %s: look: %w", k.Name, id, err)
		}
		step := k.Next(t)
		if step == nil {
			return "", nil
		}
		if step.Do == nil {
			return step.Name, nil
		}
		if err := step.Do(ctx, t); err != nil {
			return step.Name, fmt.Errorf("%s %s: %s: %w", k.Name, id, step.Name, err)
		}
	}
	return "", fmt.Errorf("%s %s: no rest after %d steps", k.Name, id, maxSteps)
}

// SettleAll settles every thing once; one failure does not hold up the others.
func (k Kind[T]) SettleAll(ctx context.Context) error {
	ids, err := k.List(ctx)
	if err != nil {
		return fmt.Errorf("list %ss: %w", k.Name, err)
	}
	for _, id := range ids {
		err = errors.Join(err, k.Settle(ctx, id))
	}
	return err
}
