package rest

import "testing"

// A HEAD is the first that a component sends to a walrus that was killed: the
// refusal of its old token has no body, and is understood all the same.
func TestAHeadAfterTheOtherSideWasKilled(t *testing.T) {
	root := newRoot(t)
	cluster := credentials(t, root, clusterID)
	h := serve(t, root, cluster, "127.0.0.1:0")
	c := NewClient(credentials(t, root, cloudID), clusterID, h.addr, nil)
	defer c.Close()
	for range 2 {
		res, err := c.Do(t.Context(), Request{Method: "HEAD", Path: "/v1/echo/x"})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		h = serve(t, root, cluster, h.addr)
	}
}
