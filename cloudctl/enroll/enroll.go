// Package enroll lets components into the cloud, once each, by join tokens.
//
// A token is made for one role and zone, is kept as a hash, and dies with its
// use: the row of the component, the mark of the key that used the token and
// the answer are one transaction. A component that lost the answer repeats the
// join with the same key and gets in again; nobody else does.
package enroll

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/token"
)

// tokenLife is how long a join token may wait for its component.
const tokenLife = 24 * time.Hour

// Desk is where components are let in.
type Desk struct {
	Store    *store.Store
	Accounts *account.Book
	Root     *pki.Credentials // with its key
	Clock    func() time.Time
}

// Open notes the address at which cloudctl itself is reached, for the tokens
// that are made later.
func (d *Desk) Open(ctx context.Context, address string) error {
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Put(d.component(pki.Identity{Role: pki.Cloudctl}, address))
	})
}

func (d *Desk) component(who pki.Identity, address string) *store.Component {
	return &store.Component{Name: who.String(), Role: who.Role, Zone: who.Zone, Address: address, Joined: d.Clock()}
}

// NewToken makes a join token for a component other than a node, which joins
// its clusterctl.
func (d *Desk) NewToken(ctx context.Context, who pki.Identity) (token.Join, error) {
	zoned := who.Role == pki.Clusterctl || who.Role == pki.Blockstore
	switch {
	case who.Role != pki.Walrus && !zoned:
		return token.Join{}, fault.New(fault.Invalid, "InvalidParameterValue", "Role is walrus, clusterctl or blockstore, not %q.", who.Role)
	case zoned != (who.Zone != ""):
		return token.Join{}, fault.New(fault.Invalid, "InvalidParameterCombination", "A clusterctl or blockstore is of one zone, a walrus of none.")
	}
	if id, err := pki.Parse(who.String()); err != nil || id != who {
		return token.Join{}, fault.New(fault.Invalid, "InvalidParameterValue", "Zone %q is not a name of small letters, digits and dashes.", who.Zone)
	}
	var join token.Join
	err := d.Store.InTx(ctx, func(tx *store.Tx) error {
		self, err := tx.Component(pki.Identity{Role: pki.Cloudctl}.String())
		if err != nil {
			return err
		}
		join = token.NewJoin(self.Address, pki.Hash(d.Root.Root))
		now := d.Clock()
		return tx.Add(&store.JoinToken{Hash: join.Hash(), Role: who.Role, Zone: who.Zone, Created: now, Expires: now.Add(tokenLife)})
	})
	return join, err
}

// Admit lets a component in: it gets a certificate and the addresses of those
// it needs. It fits rest.Internal.ServeJoin.
func (d *Desk) Admit(ctx context.Context, who pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
	_, key, err := pki.Requested(r.CSR)
	if err != nil {
		return rest.JoinReply{}, err
	}
	sum := sha256.Sum256(key)
	reply := rest.JoinReply{Root: d.Root.RootPEM()}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := d.spend(tx, who, token.HashSecret(r.Secret), hex.EncodeToString(sum[:])); err != nil {
			return err
		}
		if reply.Chain, err = d.Root.Issue(r.CSR, d.Clock()); err != nil {
			return err
		}
		if reply.Peers, err = peers(tx); err != nil {
			return err
		}
		row := d.component(who, r.Address)
		certify(row, reply.Chain)
		if old, err := tx.Component(row.Name); err == nil {
			row.Revoked = old.Revoked
		}
		return tx.Put(row)
	})
	if err == nil && who.Role == pki.Clusterctl {
		err = d.Accounts.AddZone(ctx, who.Zone)
	}
	return reply, err
}

// peers returns the addresses of the components that every zone needs.
func peers(tx *store.Tx) (map[string]string, error) {
	all, err := tx.Components()
	addresses := map[string]string{}
	for _, c := range all {
		if c.Zone == "" {
			addresses[c.Role] = c.Address
		}
	}
	return addresses, err
}

// certify keeps the certificate that a clusterctl vouches for its nodes with.
func certify(c *store.Component, chain []byte) {
	if block, _ := pem.Decode(chain); block != nil && c.Role == pki.Clusterctl {
		c.Certificate = string(pem.EncodeToMemory(block))
	}
}

// Moved takes down where a component is now, and the certificate that it got.
func (d *Desk) Moved(ctx context.Context, who pki.Identity, address string, chain []byte) (addresses map[string]string, err error) {
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.Component(who.String())
		if err != nil {
			return err
		}
		c.Address = address
		certify(c, chain)
		if addresses, err = peers(tx); err != nil {
			return err
		}
		return tx.Put(c)
	})
	return addresses, err
}

// spend uses the token up for a key.
func (d *Desk) spend(tx *store.Tx, who pki.Identity, hash, key string) error {
	refused := fault.New(fault.Denied, "InvalidToken", "The join token is not known, was used, is too old, or is for another component than %s.", who)
	t, err := tx.JoinToken(hash)
	if fault.KindOf(err) == fault.Missing {
		return refused
	}
	if err != nil {
		return err
	}
	if t.Role != who.Role || t.Zone != who.Zone || d.Clock().After(t.Expires) || t.UsedBy != "" && t.UsedBy != key {
		return refused
	}
	t.UsedBy = key
	return tx.Put(t)
}
