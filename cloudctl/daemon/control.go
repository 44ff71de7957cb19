package daemon

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"karri/cloudctl/keep"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/wire"
)

// NodeToken implements admin.Zones.
func (z *zones) NodeToken(ctx context.Context, zone, node string) (string, error) {
	l, err := z.cluster(zone)
	if err != nil {
		return "", err
	}
	var out wire.NodeToken
	err = l.client.Call(ctx, http.MethodPost, "/v1/join-tokens", nil, wire.NodeTokenRequest{Node: node}, &out)
	return out.Token, err
}

// ForgetNode implements admin.Zones.
func (z *zones) ForgetNode(ctx context.Context, zone, node string) error {
	l, err := z.cluster(zone)
	if err != nil {
		return err
	}
	return l.client.Call(ctx, http.MethodPost, "/v1/nodes/"+url.PathEscape(node)+"/forget", nil, struct{}{}, nil)
}

// Adopt implements admin.Zones.
func (z *zones) Adopt(ctx context.Context, zone string) error {
	l, err := z.cluster(zone)
	if err != nil {
		return err
	}
	// It may be the cluster's own database that was restored.
	if err := l.client.Call(ctx, http.MethodPost, "/v1/adopt", nil, struct{}{}, nil); err != nil {
		return err
	}
	defer z.cloud.nudge()
	return keep.Adopt(ctx, z.store, zone, z.reports.Cluster(zone), z.reports.Block(zone), time.Now())
}

// cluster returns the connection to a zone's clusterctl.
func (z *zones) cluster(zone string) (*linked, error) {
	l, err := z.component(pki.Clusterctl, zone)
	if err != nil {
		return nil, fault.New(fault.Missing, "InvalidParameterValue", "There is no zone '%s'.", zone).Because(err)
	}
	return l, nil
}
