// Package principal keeps policies that name users and roles true to whom they
// meant.
//
// Who writes a policy names a user or role by its ARN. It is kept with the
// unique id in its place, so that a user or role that is made later under the
// name of one that was deleted is not trusted for it, and one that is renamed
// still is. Whoever reads the policy sees the ARN that the id has by then, and
// the id itself once there is nobody of it: as in the public service.
//
// The package holds nothing; each call reads in the transaction of its caller.
package principal

import (
	"context"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/policy"
)

// Pin returns a policy as it is kept. It refuses one that names somebody who is
// not there, or whose account is not.
func Pin(tx *store.Tx, doc string) (string, error) {
	return rename(doc, func(v string) (string, error) {
		id, err := idOf(tx, v)
		if err != nil && fault.KindOf(err) == fault.Missing {
			err = fault.New(fault.Invalid, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":%q", v)
		}
		return id, err
	})
}

// Adopt is Pin for a policy that was kept as it was written: who is not there
// is nobody from now on.
func Adopt(tx *store.Tx, doc string) (string, error) {
	return rename(doc, func(v string) (string, error) {
		id, err := idOf(tx, v)
		if err != nil && fault.KindOf(err) == fault.Missing {
			return nobody, nil
		}
		return id, err
	})
}

// AdoptAll adopts the trust policies of roles that were kept as they were
// written. It is for the start, and may be repeated.
func AdoptAll(ctx context.Context, s *store.Store) error {
	var old []store.Role
	if err := s.View(ctx, func(tx *store.Tx) (err error) {
		old, err = tx.RolesByName()
		return err
	}); err != nil || len(old) == 0 {
		return err
	}
	return s.InTx(ctx, func(tx *store.Tx) error {
		rows, err := tx.RolesByName()
		for i := 0; i < len(rows) && err == nil; i++ {
			r := &rows[i]
			was := r.Trust
			if r.Trust, err = Adopt(tx, was); err == nil && r.Trust != was {
				err = tx.Put(r)
			}
		}
		return err
	})
}

// nobody is an id that no user will ever have.
const nobody = "AIDAXXXXXXXXXXXXXXXXX"

// Show returns a policy as it is read, from how it is kept.
func Show(tx *store.Tx, doc string) (string, error) {
	if !strings.Contains(doc, "AIDA") && !strings.Contains(doc, "AROA") {
		return doc, nil
	}
	return rename(doc, func(v string) (string, error) {
		arn, err := arnOf(tx, v)
		if err != nil && fault.KindOf(err) == fault.Missing {
			return v, nil
		}
		return arn, err
	})
}

func rename(doc string, name func(string) (string, error)) (string, error) {
	out, err := policy.Rename([]byte(doc), name)
	return string(out), err
}

// idOf returns what a principal is kept as.
func idOf(tx *store.Tx, v string) (string, error) {
	ref := policy.PrincipalRef{Kind: "AWS", Value: v}
	if ref.Everyone() {
		return v, nil
	}
	if ref.ByID() {
		_, err := arnOf(tx, v)
		return v, err
	}
	account := ref.Account()
	if _, err := tx.Account(account); err != nil {
		return "", err
	}
	kind, name, _ := strings.Cut(v[strings.LastIndexByte(v, ':')+1:], "/")
	switch kind {
	case "user":
		u, err := tx.User(account, name[strings.LastIndexByte(name, '/')+1:])
		if err == nil && u.ARN() != v {
			err = fault.New(fault.Missing, "NoSuchEntity", "It has another path.")
		}
		if err != nil {
			return "", err
		}
		return u.ID, nil
	case "role":
		r, err := tx.RoleByARN(v)
		if err != nil {
			return "", err
		}
		return r.ID, nil
	case "assumed-role":
		role, session, _ := strings.Cut(name, "/")
		r, err := tx.Role(account, role)
		if err == nil && r.Name != role {
			err = fault.New(fault.Missing, "NoSuchEntity", "It is spelled otherwise.")
		}
		if err != nil {
			return "", err
		}
		return r.ID + ":" + session, nil
	}
	return v, nil // the account, or a federated user, who has no id
}

// arnOf returns the ARN of whom an id is of by now; what is no id stays.
func arnOf(tx *store.Tx, v string) (string, error) {
	if !(policy.PrincipalRef{Kind: "AWS", Value: v}).ByID() {
		return v, nil
	}
	id, session, named := strings.Cut(v, ":")
	if strings.HasPrefix(id, "AIDA") {
		u, err := tx.UserByID(id)
		if err != nil {
			return "", err
		}
		return u.ARN(), nil
	}
	r, err := tx.RoleByID(id)
	if err != nil {
		return "", err
	}
	if named {
		return "arn:aws:sts::" + r.Account + ":assumed-role/" + r.Name + "/" + session, nil
	}
	return r.ARN(), nil
}
