"""The catalog: products, prices and their arithmetic, coupons and promotion codes."""
