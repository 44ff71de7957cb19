package local

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"karri/cloudctl/session"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/config"
	"karri/shared/crash"
)

// perStep is how many secrets are sealed anew in one transaction.
const perStep = 500

func rotateMasterKey(ctx context.Context, p config.Program, args []string, out io.Writer) error {
	var c struct {
		State     string `flag:"state" required:"true" help:"state folder of cloudctl"`
		MasterKey string `flag:"master-key-file" help:"file with the key that seals users' secrets; STATE/master.key when not given"`
		DropOld   bool   `flag:"drop-old" help:"drop the old key at once, for when somebody may have it: all sessions that were given out end"`
	}
	if _, err := config.Load(p, args, &c); err != nil {
		return err
	}
	v, err := vault.Open(cmp.Or(c.MasterKey, MasterKeyFile(c.State)))
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, DatabaseFile(c.State))
	if err != nil {
		return err
	}
	defer s.Close()
	n, err := Rotate(ctx, s, v, time.Now(), c.DropOld)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%d secrets are sealed under the new master key.\n", n); err != nil {
		return err
	}
	for _, line := range Older(v) {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

// Older tells what the older master keys are kept for, a line each.
func Older(v *vault.Vault) (lines []string) {
	for _, until := range v.Older() {
		lines = append(lines, fmt.Sprintf("An older key opens the sessions that were given out under it, until %s; cloudctl drops it then.", until.UTC().Format(time.RFC3339)))
	}
	return lines
}

// keepFor is how long an older key is kept: the longest session, and what may
// lie between the key's choice and its use.
const keepFor = session.Longest + time.Minute

// Rotate puts a new master key in place of the old one and seals all secrets
// anew, whether the daemon runs or not. The old one is kept for the sessions
// that were given out, unless drop is set. A rotation that was cut off is
// finished by the next, without another key.
func Rotate(ctx context.Context, s *store.Store, v *vault.Vault, now time.Time, drop bool) (sealed int, err error) {
	begun := false
	if len(v.Older()) > 0 {
		if begun, err = Behind(ctx, s, v); err != nil {
			return 0, err
		}
	}
	if !begun {
		if err := s.InTx(ctx, func(*store.Tx) error { return v.Rotate(now.Add(keepFor)) }); err != nil {
			return 0, err
		}
	}
	crash.Here("cloudctl.local.rotated")
	due := dueAt(now)
	if drop {
		due = func(time.Time) bool { return true }
	}
	sealed, _, err = finish(ctx, s, v, due)
	return sealed, err
}

func dueAt(now time.Time) func(time.Time) bool {
	return func(until time.Time) bool { return !until.IsZero() && !now.Before(until) }
}

// DropOld drops the older master keys that no session needs any more, and
// returns how many. What is sealed under them, by a rotation that was cut off,
// is sealed anew before.
func DropOld(ctx context.Context, s *store.Store, v *vault.Vault, now time.Time) (dropped int, err error) {
	older := v.Older()
	if slices.ContainsFunc(older, time.Time.IsZero) { // kept by a cloudctl that did not say for how long
		if err := s.InTx(ctx, func(*store.Tx) error { return v.Retire(now.Add(keepFor)) }); err != nil {
			return 0, err
		}
	}
	if !slices.ContainsFunc(older, dueAt(now)) {
		return 0, nil
	}
	_, dropped, err = finish(ctx, s, v, dueAt(now))
	return dropped, err
}

// finish seals anew what is under older keys, and drops those that are due.
func finish(ctx context.Context, s *store.Store, v *vault.Vault, due func(time.Time) bool) (sealed, dropped int, err error) {
	for { // until a whole round finds none: the daemon may seal meanwhile
		n, err := reseal(ctx, s, v)
		if sealed += n; err != nil {
			return sealed, 0, err
		}
		if n == 0 {
			break
		}
	}
	crash.Here("cloudctl.local.resealed")
	// In a transaction that writes, in which nobody else commits what was sealed
	// under the old key.
	err = s.InTx(ctx, func(tx *store.Tx) error {
		if _, err := sealAll(tx, v, nil); err != nil {
			return err
		}
		dropped, err = v.Forget(due)
		return err
	})
	return sealed, dropped, err
}

// Behind reports whether a secret is under an older key.
func Behind(ctx context.Context, s *store.Store, v *vault.Vault) (is bool, err error) {
	err = s.View(ctx, func(tx *store.Tx) error {
		for after := (*store.SealedRow)(nil); ; {
			rows, err := tx.Sealed(after, perStep)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, r := range rows {
				is = is || !v.Current(r.Sealed)
			}
			after = &rows[len(rows)-1]
		}
	})
	return is, err
}

// reseal seals anew what is under an older key, some in each transaction.
func reseal(ctx context.Context, s *store.Store, v *vault.Vault) (sealed int, err error) {
	for after := (*store.SealedRow)(nil); ; {
		var rows []store.SealedRow
		err := s.InTx(ctx, func(tx *store.Tx) (err error) {
			if rows, err = tx.Sealed(after, perStep); err != nil {
				return err
			}
			n, err := sealRows(tx, v, rows)
			sealed += n
			return err
		})
		if err != nil || len(rows) == 0 {
			return sealed, err
		}
		crash.Here("cloudctl.local.some")
		after = &rows[len(rows)-1]
	}
}

// sealAll is reseal in one transaction, for the few that are left.
func sealAll(tx *store.Tx, v *vault.Vault, after *store.SealedRow) (sealed int, err error) {
	for {
		rows, err := tx.Sealed(after, perStep)
		if err != nil || len(rows) == 0 {
			return sealed, err
		}
		n, err := sealRows(tx, v, rows)
		if sealed += n; err != nil {
			return sealed, err
		}
		after = &rows[len(rows)-1]
	}
}

func sealRows(tx *store.Tx, v *vault.Vault, rows []store.SealedRow) (sealed int, err error) {
	for _, r := range rows {
		if v.Current(r.Sealed) {
			continue
		}
		secret, err := v.Unseal(r.Name, r.Sealed)
		if err != nil {
			return sealed, err
		}
		if err := tx.Reseal(r, v.Seal(r.Name, secret)); err != nil {
			return sealed, err
		}
		sealed++
	}
	return sealed, nil
}
