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

// Adopt implements admin.Zones: for this database, and for the zone's own.
func (z *zones) Adopt(ctx context.Context, zone string) error {
	l, err := z.cluster(zone)
	if err != nil {
		return err
	}
	var below wire.Adopted
	if err := l.client.Call(ctx, http.MethodPost, "/v1/adopt", nil, struct{}{}, &below); err != nil {
		return err
	}
	defer z.cloud.nudge()
	err = keep.Adopt(ctx, z.store, zone, z.reports.Cluster(zone), z.reports.Block(zone), time.Now())
	if err != nil && fault.KindOf(err) == fault.Conflict && len(below.Lines) > 0 {
		return nil // the zone's own database was the one restored
	}
	return err
}

// cluster returns the connection to a zone's clusterctl.
func (z *zones) cluster(zone string) (*linked, error) {
	l, err := z.component(pki.Clusterctl, zone)
	if err != nil {
		return nil, fault.New(fault.Missing, "InvalidParameterValue", "There is no zone '%s'.", zone).Because(err)
	}
	return l, nil
}
