"""A merchant's workspace: settings of the portal, publishing, connections, members, figures."""
