package servicequotas

import (
	"context"

	"karri/shared/action"
)

// ListServicesInput pages.
type ListServicesInput struct {
	MaxResults *int
	NextToken  *string
}

// ListServicesOutput lists services by code.
type ListServicesOutput struct {
	NextToken *string
	Services  []ServiceInfo
}

// ServiceInfo names a service.
type ServiceInfo struct{ ServiceCode, ServiceName string }

var _ = action.Add(Catalog, action.Def[*API, ListServicesInput, ListServicesOutput]{
	Name: "ListServices",
	Doc:  "Lists the services that have quotas.",
	List: &action.List{},
	On:   onQuotas[ListServicesInput],
	Run: func(ctx context.Context, _ *API, _ action.Caller, _ *ListServicesInput) (*ListServicesOutput, error) {
		var all []ServiceInfo
		for code, name := range services {
			all = append(all, ServiceInfo{code, name})
		}
		page, next, err := action.Page(ctx, all, func(s ServiceInfo) string { return s.ServiceCode })
		return &ListServicesOutput{Services: page, NextToken: next}, err
	},
})
