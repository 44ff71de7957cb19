package local

import (
	"cmp"
	"context"
	"fmt"
	"io"

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
		KeepOld   bool   `flag:"keep-old" help:"keep the old key until the next time, so that the sessions that were given out go on"`
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
	n, err := Rotate(ctx, s, v, c.KeepOld)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d secrets are sealed under the new master key; there are %d keys.\n", n, v.Keys())
	return err
}

// Rotate puts a new master key in place of the old one and seals all secrets
// anew, whether the daemon runs or not. One that was cut off is finished by the
// next, without another key.
func Rotate(ctx context.Context, s *store.Store, v *vault.Vault, keepOld bool) (sealed int, err error) {
	begun := false
	if v.Keys() > 1 {
		if begun, err = behind(ctx, s, v); err != nil {
			return 0, err
		}
	}
	if !begun {
		if err := v.Rotate(); err != nil {
			return 0, err
		}
	}
	crash.Here("cloudctl.local.rotated")
	for { // until a whole round finds none: the daemon may seal meanwhile
		n, err := reseal(ctx, s, v)
		if sealed += n; err != nil {
			return sealed, err
		}
		if n == 0 {
			break
		}
	}
	crash.Here("cloudctl.local.resealed")
	if keepOld {
		return sealed, nil
	}
	// In a transaction that writes, in which nobody else commits what was sealed
	// under the old key.
	return sealed, s.InTx(ctx, func(tx *store.Tx) error {
		if _, err := sealAll(tx, v, nil); err != nil {
			return err
		}
		return v.Forget()
	})
}

// behind reports whether a secret is under an older key.
func behind(ctx context.Context, s *store.Store, v *vault.Vault) (is bool, err error) {
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
