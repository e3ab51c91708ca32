"""The asset lists: plan a refresh, fetch and merge the lists, commit them."""
