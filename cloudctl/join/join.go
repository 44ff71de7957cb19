// Package join lets components into the cloud: clusterctl, blockstore and
// walrus, each by a token that is good for one component, once.
//
// Of a token only the hash is kept. Its end and the component's address are
// written in one transaction before the certificate is answered. The token
// remembers the key that it let in, so that a component whose answer was lost
// is let in again, and nobody else is.
package join

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/token"
)

// Life is how long a token that nobody used is good.
const Life = 24 * time.Hour

// A Gate lets components in.
type Gate struct {
	Store   *store.Store
	Root    *pki.Credentials // the cloud's authority, with its key
	Address string           // host:port of our internal API
	Clock   func() time.Time
	// Joined is called after a component was let in, before it is told.
	Joined func(ctx context.Context, who pki.Identity) error
}

// Issue makes a token for a component with the role in the zone, which is
// empty for walrus.
func (g *Gate) Issue(ctx context.Context, role, zone string) (string, error) {
	who := pki.Identity{Role: role, Zone: zone}
	back, err := pki.Parse(who.String())
	if err != nil || back != who || role == pki.Nodectl || role == pki.Cloudctl {
		return "", fault.New(fault.Invalid, "InvalidParameterValue", "There is no component of the role '%s' in the zone '%s' that joins here.", role, zone)
	}
	j := token.NewJoin(g.Address, pki.Hash(g.Root.Root))
	now := g.Clock()
	err = g.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Add(&store.JoinToken{Hash: j.Hash(), Role: role, Zone: zone, Created: now, Expires: now.Add(Life)})
	})
	return j.String(), err
}

// Admit lets a component in that shows a token; it serves rest's ServeJoin.
func (g *Gate) Admit(ctx context.Context, who pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
	_, key, err := pki.Requested(r.CSR)
	if err != nil {
		return rest.JoinReply{}, err
	}
	sum := sha256.Sum256(key)
	by := hex.EncodeToString(sum[:])
	peers := map[string]string{}
	now := g.Clock()
	err = g.Store.InTx(ctx, func(tx *store.Tx) error {
		t, err := tx.JoinToken(token.HashSecret(r.Secret))
		if err != nil {
			return fault.New(fault.Denied, "InvalidToken", "The join token is not known here.").Because(err)
		}
		switch {
		case t.Role != who.Role || t.Zone != who.Zone || who.Name != "":
			return fault.New(fault.Denied, "InvalidToken", "The join token is not for %s.", who)
		case now.After(t.Expires):
			return fault.New(fault.Denied, "InvalidToken", "The join token has run out.")
		case t.UsedBy != "" && subtle.ConstantTimeCompare([]byte(t.UsedBy), []byte(by)) != 1:
			return fault.New(fault.Denied, "InvalidToken", "The join token was used already.")
		}
		t.UsedBy = by
		if err := tx.Put(t); err != nil {
			return err
		}
		if err := tx.Put(&store.Component{Name: who.String(), Role: who.Role, Zone: who.Zone, Address: r.Address, Joined: now}); err != nil {
			return err
		}
		return addresses(tx, peers)
	})
	if err != nil {
		return rest.JoinReply{}, err
	}
	if g.Joined != nil {
		if err := g.Joined(ctx, who); err != nil {
			return rest.JoinReply{}, err
		}
	}
	chain, err := g.Root.Issue(r.CSR, now)
	return rest.JoinReply{Chain: chain, Root: g.Root.RootPEM(), Peers: peers}, err
}

// addresses adds where the cloud's only walrus is.
func addresses(tx *store.Tx, peers map[string]string) error {
	all, err := tx.Components()
	for _, c := range all {
		if c.Role == pki.Walrus {
			peers[pki.Walrus] = c.Address
		}
	}
	return err
}
