package daemon_test

import (
	"testing"

	"karri/shared/bucket/buckettest"
	"karri/shared/pki"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// TestStore runs the suite of components' stores against a walrus over mutual
// TLS.
func TestStore(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	buckettest.Suite(t, func(t *testing.T) buckettest.World {
		w := walrustest.Start(t, cloud, daemon.Config{})
		return buckettest.World{
			Store: w.As(t, pki.Identity{Role: pki.Cloudctl}),
			UserPut: func(account, name, key string, data []byte) {
				u := map[string]walrustest.User{walrustest.Ann.Account: walrustest.Ann, walrustest.Bob.Account: walrustest.Bob}[account]
				w.Do(t, u, "PUT", "/"+name, "")
				if a := w.Do(t, u, "PUT", "/"+name+"/"+key, string(data)); a.Status != 200 {
					t.Fatalf("%+v", a)
				}
			},
		}
	})
}
