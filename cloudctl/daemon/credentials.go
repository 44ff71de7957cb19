package daemon

import (
	"context"
	"net/http"
	"time"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/wire"
)

// instanceSession is how long the credentials of an instance are good. Its host
// renews them long before.
const instanceSession = 6 * time.Hour

// serveCredentials gives the clusterctl of a zone the credentials of the roles
// of instances that are there. It passes them on to the one node that has the
// instance; nobody keeps them.
func (c *cloud) serveCredentials() {
	c.Internal.Handle("POST", "/v1/instances/{id}/credentials", rest.Roles(pki.Clusterctl), func(w http.ResponseWriter, r *http.Request) error {
		i := id.Instance(rest.Var(r, "id"))
		zone := rest.Caller(r.Context()).Zone
		carried, role, err := c.roleOf(r.Context(), zone, i)
		if err != nil {
			return err
		}
		var in wire.CredentialsOf
		if err := rest.Read(r, &in); err != nil {
			return err
		}
		if in.Association != carried.Association {
			return fault.New(fault.Later, "Unavailable", "The instance %s has another role now, of which its host does not know yet.", i)
		}
		given, err := c.book.Sessions().ForService(role, "ec2.amazonaws.com", string(i), instanceSession)
		if fault.KindOf(err) == fault.Denied && err != nil {
			return fault.New(fault.Denied, wire.NoRole, "The trust policy of %s does not let ec2.amazonaws.com take it.", role.ARN())
		}
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		return rest.JSON(w, wire.Credentials{AccessKey: given.AccessKey, Secret: given.Secret, Token: given.Token,
			Issued: given.Expires.Add(-instanceSession), Expires: given.Expires})
	})
}

// roleOf returns the role of an instance of a zone.
func (c *cloud) roleOf(ctx context.Context, zone string, i id.Instance) (carried store.Carried, role *store.Role, err error) {
	err = c.store.View(ctx, func(tx *store.Tx) error {
		row, err := tx.Instance(store.AnyAccount, i)
		if fault.KindOf(err) == fault.Missing || err == nil && (row.Zone != zone || row.Want == wire.Gone) {
			return fault.New(fault.Denied, "NotForYou", "The instance %s is not in the zone %s.", i, zone)
		}
		if err != nil {
			return err
		}
		var has bool
		if carried, has, err = tx.RoleOf(i); err != nil {
			return err
		}
		a, err := tx.Account(row.Account)
		if err != nil {
			return err
		}
		if !has || carried.Account != row.Account || a.State != store.AccountActive {
			return fault.New(fault.Missing, wire.NoRole, "The instance %s has no role.", i)
		}
		role, err = tx.RoleByID(carried.RoleID)
		return err
	})
	return carried, role, err
}
