package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"karri/shared/db"
	"karri/shared/sign"
)

// statements are the questions of the first request of each access key.
type statements struct{ bearer, policies *db.Statement }

const bearerQuery = `SELECT k.account, k.user, k.sealed, k.active, a.name, a.state, a.admin, u.account, u.name, u.path, u.boundary, u.tags
FROM access_keys k JOIN accounts a ON a.id = k.account LEFT JOIN users u ON u.id = k.user
WHERE k.id = ?`

// In the order in which policies are told: the user's own, those of each of its
// groups, those that are laid on its account; of each inline ones first.
const policiesQuery = `WITH holders (id, place, folded) AS (
	SELECT ?1, 0, '' UNION ALL
	SELECT g.id, 1, g.folded FROM members m JOIN user_groups g ON g.id = m.user_group WHERE m.user = ?1 UNION ALL
	SELECT ?2, 2, '')
SELECT h.place, h.folded, 0 AS attached, p.name AS called, p.name, p.document
FROM holders h CROSS JOIN inline_policies p ON p.holder = h.id
UNION ALL
SELECT h.place, h.folded, 1, a.policy, m.name, v.document
FROM holders h CROSS JOIN policy_attachments a ON a.holder = h.id
LEFT JOIN policies m ON m.arn = a.policy LEFT JOIN policy_versions v ON v.policy = m.id AND v.number = m.default_version
WHERE h.place < 2
ORDER BY 1, 2, 3, 4`

func prepare(ctx context.Context, d *db.DB) (s statements, err error) {
	if s.bearer, err = d.Statement(ctx, bearerQuery); err != nil {
		return s, err
	}
	s.policies, err = d.Statement(ctx, policiesQuery)
	return s, err
}

// A Bearer is whose an access key is. Of each record there is only what decides.
type Bearer struct {
	Key     AccessKey
	Account Account
	User    *User // nil: the account itself
}

// Bearer returns whose an access key is.
func (t *Tx) Bearer(id string) (*Bearer, error) {
	var b *Bearer
	err := t.asked.bearer.Each(t.g, func(row *sql.Rows) error {
		b = &Bearer{Key: AccessKey{ID: id}}
		var account, name, path, boundary, tags sql.NullString
		if err := row.Scan(&b.Key.Account, &b.Key.User, &b.Key.Sealed, &b.Key.Active, &b.Account.Name, &b.Account.State, &b.Account.Admin,
			&account, &name, &path, &boundary, &tags); err != nil {
			return err
		}
		b.Account.ID = b.Key.Account
		if !account.Valid {
			return nil
		}
		b.User = &User{ID: b.Key.User, Account: account.String, Name: name.String, Path: path.String, Boundary: boundary.String}
		return json.Unmarshal([]byte(tags.String), &b.User.Tags)
	}, id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look up an access key: %w", err)
	case b == nil:
		return nil, missing("NoSuchEntity", "There is no access key %s.", sign.KeyName(id))
	case b.User == nil && b.Key.User != "":
		return nil, missing("NoSuchEntity", "The user with the id %s cannot be found.", b.Key.User)
	}
	return b, nil
}

// A HeldPolicy is a policy that a user has, by itself or through others.
type HeldPolicy struct {
	Laid bool   // on its account
	ARN  string // "": it is an inline policy
	Name string
	Text string // "": of a policy that is attached and is no account's
}

// PoliciesOfUser returns all policies of a user by its id, its groups' and those
// that are laid on its account.
func (t *Tx) PoliciesOfUser(account, user string) ([]HeldPolicy, error) {
	var all []HeldPolicy
	err := t.asked.policies.Each(t.g, func(row *sql.Rows) error {
		var place, attached int
		var folded, called string
		var name, text sql.NullString
		if err := row.Scan(&place, &folded, &attached, &called, &name, &text); err != nil {
			return err
		}
		p := HeldPolicy{Laid: place == 2, Name: name.String, Text: text.String}
		if attached > 0 {
			p.ARN = called
		}
		all = append(all, p)
		return nil
	}, user, account)
	if err != nil {
		return nil, fmt.Errorf("list policies of a user: %w", err)
	}
	return all, nil
}
